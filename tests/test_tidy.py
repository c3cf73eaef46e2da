"""The laws of the repository that a test can check. Each law is a function; `tests/tidy/` holds them.

Every law is also shown a small tree that breaks it, in test_tidy_notices.py: a law that notices nothing is worse than
none.
"""

from pathlib import Path

import pytest

from tests.tidy import fact_laws, file_laws, python_laws, sql_laws
from tests.tidy.tree import Law

ROOT = Path(__file__).resolve().parent.parent

LAWS: tuple[Law, ...] = (
    python_laws.layers_import_downwards,
    python_laws.source_does_not_import_tests,
    python_laws.services_know_only_each_others_commands,
    python_laws.only_projections_import_duckdb,
    python_laws.few_modules_import_nats,
    python_laws.deciders_are_pure,
    python_laws.public_names_are_documented,
    sql_laws.each_file_is_one_select,
    sql_laws.each_file_has_a_header,
    sql_laws.same_log_same_rows,
    sql_laws.each_file_has_a_test,
    file_laws.files_stay_short,
    file_laws.files_are_named_by_a_noun,
    file_laws.nothing_speaks_of_where_it_was_written,
)
FACT_LAWS = (
    fact_laws.field_names_are_columns,
    fact_laws.durations_name_their_unit,
    fact_laws.facts_explain_themselves,
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_repository_keeps_the_law(law: Law):
    complaints = law(ROOT)
    assert not complaints, f"{law.__doc__}\n" + "\n".join(complaints)


@pytest.mark.parametrize("law", FACT_LAWS, ids=lambda law: law.__name__)
def test_the_vocabulary_keeps_the_law(law):
    complaints = law()
    assert not complaints, f"{law.__doc__}\n" + "\n".join(complaints)
