"""The bench itself: the control plane that the other tests stand on."""

from support import assets
from support.apiclient import ApiClient, ApiError
from support.controlplane import Cluster, ControlPlane


def test_kubectl_and_the_client_see_the_same_namespace(
    control_plane: Cluster, client: ApiClient, namespace: str
) -> None:
    shown = control_plane.kubectl("get", "namespace", namespace, "-o", "jsonpath={.metadata.uid}")

    assert shown.stdout == client.get(f"/api/v1/namespaces/{namespace}")["metadata"]["uid"], shown.stderr


def test_the_api_server_is_of_the_version_that_was_chosen(own_control_plane: ControlPlane) -> None:
    kit = assets.chosen_control_plane()

    told = own_control_plane.client.get("/version")["gitVersion"]

    assert told == kit.version.tag or kit.given()


def test_a_user_may_do_what_the_rules_say_and_nothing_else(
    own_control_plane: ControlPlane, namespace: str
) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]
    user = ApiClient.from_kubeconfig(own_control_plane.kubeconfig_for("configmap-lister", rules))

    def refusal(path: str) -> str:
        try:
            user.get(path)
        except ApiError as error:
            return error.reason
        return ""

    assert refusal(f"/api/v1/namespaces/{namespace}/configmaps") == "", "they count at once"
    assert refusal(f"/api/v1/namespaces/{namespace}/secrets") == "Forbidden"
    user.close()


def test_a_restarted_api_server_still_has_its_data(
    own_control_plane: ControlPlane, client: ApiClient, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    client.post(path, {"metadata": {"name": "kept"}, "data": {"key": "value"}})

    own_control_plane.stop_api_server()
    own_control_plane.start_api_server()

    assert client.get(f"{path}/kept")["data"] == {"key": "value"}
