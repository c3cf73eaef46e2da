"""The gate: many together, or one alone."""

import threading
import time

from projections.gate import Gate


def test_one_alone_waits_for_those_inside_and_keeps_others_out():
    gate, order = Gate(), []
    inside, leave = threading.Event(), threading.Event()

    def reader() -> None:
        with gate.together():
            inside.set()
            leave.wait(10)
            order.append("first reader left")

    def late_reader() -> None:
        with gate.together():
            order.append("late reader")

    first = threading.Thread(target=reader)
    first.start()
    assert inside.wait(10)
    late = threading.Thread(target=late_reader)
    with gate.alone(patience_s=0.0, hurry=leave.set):
        order.append("alone")
        late.start()
        deadline = time.monotonic() + 0.1
        while time.monotonic() < deadline:
            assert "late reader" not in order
    first.join(10)
    late.join(10)
    assert order == ["first reader left", "alone", "late reader"]
