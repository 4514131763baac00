"""What `headway init` writes is what the API server admits."""

from __future__ import annotations

import pytest
import yaml

from support.apiclient import ApiClient
from support.command_line import Headway
from support.first_projects import OPTIONS, SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_resource_of_a_project_is_admitted(client: ApiClient, tmp_path, shape) -> None:
    SHAPES[shape](tmp_path)
    run = Headway(tmp_path, "init", *OPTIONS.get(shape, ()), "-o", "-")
    assert run.wait() == 0, run.err
    resource = yaml.safe_load(run.out)
    path = "/apis/headway.dev/v1alpha1/namespaces/default/databasemigrations"
    admitted = client.post(f"{path}?dryRun=All&fieldValidation=Strict", resource)
    assert admitted["spec"]["databases"][0]["name"] == resource["spec"]["databases"][0]["name"]
