"""The view ``roles``: who holds or held which role."""

from events.incident import RoleAssigned, RoleHandoffAccepted, RoleHandoffOffered, RoleRelieved
from tests.spec import ADA, BOB, GRACE, given, incident, moment

ADA_COMMANDS = RoleAssigned(role="commander", person_id=ADA)


def test_a_role_is_held_until_it_is_given_up():
    given(
        incident("INC-42", ADA_COMMANDS, at="09:01"),
        incident("INC-42", RoleRelieved(role="commander", person_id=ADA), at="09:30"),
        incident("INC-42", RoleAssigned(role="scribe", person_id=BOB), at="09:05"),
    ).view("roles").shows(
        {"role": "commander", "person_id": ADA, "since": moment("09:01"), "until": moment("09:30")},
        {"role": "scribe", "person_id": BOB, "since": moment("09:05"), "until": None},
    )


def test_an_offer_changes_nothing_and_its_acceptance_ends_the_other_holding():
    given(
        incident("INC-42", ADA_COMMANDS),
        incident("INC-42", RoleHandoffOffered(role="commander", person_id=BOB)),
        incident("INC-42", RoleHandoffAccepted(role="commander", person_id=BOB, previous_person_id=ADA), at="09:20"),
    ).view("roles").shows(
        {"person_id": ADA, "until": moment("09:20")}, {"person_id": BOB, "since": moment("09:20"), "until": None}
    )


def test_there_is_one_commander_and_there_may_be_several_experts():
    given(
        incident("INC-42", ADA_COMMANDS, RoleAssigned(role="expert", person_id=ADA)),
        incident("INC-42", RoleAssigned(role="expert", person_id=GRACE)),
        incident("INC-42", RoleAssigned(role="commander", person_id=BOB), at="09:20"),
    ).view("roles").shows(
        {"role": "commander", "person_id": ADA, "until": moment("09:20")},
        {"role": "commander", "person_id": BOB, "until": None},
        {"role": "expert", "person_id": ADA, "until": None},
        {"role": "expert", "person_id": GRACE, "until": None},
    )


def test_being_assigned_twice_is_one_holding_and_coming_back_is_another():
    given(
        incident("INC-42", ADA_COMMANDS, ADA_COMMANDS),
        incident("INC-42", RoleRelieved(role="commander", person_id=ADA)),
        incident("INC-42", ADA_COMMANDS, at="09:50"),
    ).view("roles").shows({"since_seq": 1, "until": moment("09:03")}, {"since_seq": 4, "until": None})
