"""What a person without a cluster is told to do next."""

import pytest

from headway_cli.at_home import at_home
from headway_contract.failures import FAILURES
from headway_operator.api.reasons import REASONS, reason_of
from headway_operator.planner.explain import explain
from headway_operator.planner.gates import IS_PAUSED


@pytest.mark.parametrize("name", [one.name for one in (*FAILURES, *REASONS)])
def test_nobody_without_a_cluster_is_told_to_use_kubectl(name):
    told = at_home(explain(reason_of(name), "something was seen", "shop"), "shop")
    assert "kubectl" not in told
    assert "something was seen." in told


def test_a_wrong_password_is_mended_in_the_url():
    told = at_home(explain(reason_of("AuthenticationFailed"), "", "shop"), "shop")
    assert told.endswith("Correct the user or the password, then run the same command again.")


def test_ctrl_c_is_no_annotation():
    assert at_home(f"stopping: {IS_PAUSED}", "shop") == "stopping: it was asked to stop"
