"""Judges the disk server with Azure's own client: what it cannot read, or reads
otherwise than Resource Manager would have it, is the server's mistake.

Usage: azure.py ENDPOINT
"""

import faulthandler
import os
import sys

# A script's folder comes first in the path, where this file would be `azure`.
sys.path = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]

from azure.core import exceptions
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient, models

# Whoever is told for ever that something goes on shall not wait for ever.
faulthandler.dump_traceback_later(180, exit=True)

ENDPOINT = sys.argv[1]
SUBSCRIPTION, GROUP, PLACE = "00000000-0000-4000-8000-000000000001", "Judged", "westeurope"
PREFIX = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Compute"


class Token(SansIOHTTPPolicy):
    """The client's own policy sends no token over plain HTTP."""

    def __init__(self, token):
        super().__init__()
        self.token = token

    def on_request(self, request):
        if self.token:
            request.http_request.headers["Authorization"] = f"Bearer {self.token}"


def client(token="judge"):
    return ComputeManagementClient(
        credential=object(), subscription_id=SUBSCRIPTION, base_url=ENDPOINT,
        authentication_policy=Token(token), polling_interval=0)


compute = client()
disks, snapshots = compute.disks, compute.snapshots


def refused(error, status, code, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error as problem:
        found = (problem.status_code, problem.error.code)
        assert found == (status, code), (found, problem)
        return problem
    raise AssertionError(f"{error.__name__} was expected")


def same(one, other):
    return one.lower() == other.lower()


def create(name, location=PLACE, group=GROUP, option="Empty", source=None, **fields):
    creation = models.CreationData(create_option=option, source_resource_id=source)
    disk = models.Disk(location=location, creation_data=creation, **fields)
    return disks.begin_create_or_update(group, name, disk)


def take(name, source, location=PLACE, option="Copy", incremental=True, **fields):
    creation = models.CreationData(create_option=option, source_resource_id=source)
    snapshot = models.Snapshot(
        location=location, creation_data=creation, incremental=incremental, **fields)
    return snapshots.begin_create_or_update(GROUP, name, snapshot)


def made_disks():
    poller = create("One", location="West Europe", disk_size_gb=32, zones=["2"],
                    sku=models.DiskSku(name="Premium_LRS"), tags={"app": "shop"})
    disk = poller.result()
    assert poller.status() == "Succeeded", poller.status()
    assert disk.id == f"{PREFIX}/disks/One" and disk.type == "Microsoft.Compute/disks"
    assert (disk.name, disk.location, disk.disk_size_gb) == ("One", PLACE, 32), disk
    assert disk.disk_size_bytes == 32 << 30 and disk.unique_id and disk.time_created.year > 2000
    assert disk.zones == ["2"] and dict(disk.tags) == {"app": "shop"}
    assert disk.sku.name == "Premium_LRS" and disk.sku.tier == "Premium"
    assert disk.provisioning_state == "Succeeded" and disk.disk_state == "Unattached"
    assert disk.encryption.type == "EncryptionAtRestWithPlatformKey"
    # Names are the same in small and capital letters, and stay as they were made.
    again = disks.get(GROUP.upper(), "oNE")
    assert again.name == "One" and again.unique_id == disk.unique_id


def bare(method, url, token=None, **arguments):
    """A request of our own through the client's pipeline, and its answer."""
    request = HttpRequest(method, url, **arguments)
    return (client(token) if token is not None else compute).send_request(request)


def operations():
    """What somebody sees who goes through an operation by hand."""
    body = {"location": PLACE, "properties": {
        "diskSizeGB": 1, "creationData": {"createOption": "Empty"}}}
    url = f"{ENDPOINT}{PREFIX}/disks/steps?api-version=2024-03-02"
    reply = bare("PUT", url, json=body)
    assert reply.status_code == 202 and "Retry-After" in reply.headers, reply
    assert reply.json()["properties"]["provisioningState"] == "Updating"
    location = reply.headers["Location"]
    waiting = bare("GET", location)
    assert waiting.status_code == 202 and same(waiting.headers["Location"], location)
    done = bare("GET", location)
    assert done.status_code == 200 and done.json()["name"] == "steps", done.text()
    reply = bare("PATCH", url, json={"tags": {"a": "b"}})
    link = reply.headers["Azure-AsyncOperation"]
    assert bare("GET", link).json()["status"] == "InProgress"
    status = bare("GET", link).json()
    assert status["status"] == "Succeeded" and status["endTime"], status
    assert status["properties"]["output"]["tags"] == {"a": "b"}
    reply = bare("DELETE", url)
    assert reply.status_code == 202 and reply.headers["Azure-AsyncOperation"]
    assert bare("DELETE", url).status_code == 204
    assert bare("GET", url.split("?")[0]).json()["error"]["code"] == "MissingApiVersionParameter"
    assert bare("PUT", url, json={**body, "colour": "red"}).status_code == 400
    reply = bare("GET", url, token="")
    assert reply.status_code == 401 and reply.headers["WWW-Authenticate"].startswith("Bearer ")


def refusals():
    bad, gone, there = (exceptions.HttpResponseError, exceptions.ResourceNotFoundError,
                        exceptions.ResourceExistsError)
    refused(gone, 404, "ResourceNotFound", disks.get, GROUP, "none")
    refused(gone, 404, "ResourceNotFound", disks.begin_update, GROUP, "none", models.DiskUpdate())
    refused(bad, 400, "InvalidParameter", create, "two")
    refused(bad, 400, "InvalidResourceName", create, "two-", disk_size_gb=1)
    refused(bad, 400, "InvalidParameter", create, "two", disk_size_gb=1,
            sku=models.DiskSku(name="Gold_LRS"))
    refused(bad, 400, "InvalidParameter", create, "two", disk_size_gb=1, zones=["1"],
            sku=models.DiskSku(name="Premium_ZRS"))
    refused(bad, 400, "InvalidTagNameCharacters", create, "two", disk_size_gb=1,
            tags={"ark.io/backup": "nightly"})
    refused(there, 409, "InvalidResourceLocation", create, "one", location="northeurope",
            disk_size_gb=32)
    refused(there, 409, "PropertyChangeNotAllowed", create, "one", option="Copy",
            source=f"{PREFIX}/disks/attached", disk_size_gb=32)
    refused(there, 409, "OperationNotAllowed", disks.begin_delete, GROUP, "attached")
    nobody = client(token=None)
    refused(exceptions.ClientAuthenticationError, 401, "AuthenticationFailed",
            nobody.disks.get, GROUP, "One")


def lists():
    for index in range(5):
        create(f"listed-{index}", group="Lists", disk_size_gb=1).result()
    # The test lets a page have two items.
    pages = [[disk.name for disk in page]
             for page in disks.list_by_resource_group("lists").by_page()]
    assert [len(page) for page in pages] == [2, 2, 1], pages
    assert sum(pages, []) == [f"listed-{index}" for index in range(5)]
    ids = [disk.id for disk in disks.list()]
    assert len(ids) == 7, ids
    assert all("/resourceGroups/LISTS/" in id for id in ids if "listed" in id), ids
    assert [snapshot.name for snapshot in snapshots.list()] == []


def taken_snapshots():
    source = disks.get(GROUP, "One")
    snapshot = take("First", source.id.upper(), tags={"backup": "nightly"},
                    sku=models.SnapshotSku(name="Standard_ZRS")).result()
    assert snapshot.id == f"{PREFIX}/snapshots/First" and snapshot.incremental is True
    assert same(snapshot.creation_data.source_resource_id, source.id)
    assert snapshot.creation_data.source_unique_id == source.unique_id
    assert snapshot.incremental_snapshot_family_id == source.unique_id
    assert (snapshot.disk_size_gb, snapshot.sku.name) == (32, "Standard_ZRS")
    assert snapshot.provisioning_state == "Succeeded"
    percents = [snapshot.completion_percent]
    refused(exceptions.ResourceExistsError, 409, "OperationNotAllowed", create, "early",
            option="Copy", source=snapshot.id)
    while percents[-1] < 100:
        percents.append(snapshots.get(GROUP, "first").completion_percent)
    assert percents == [0, 25, 50, 75, 100], percents

    full = take("full", source.id, incremental=False).result()
    assert full.incremental is False and full.incremental_snapshot_family_id is None
    refused(exceptions.ResourceNotFoundError, 404, "ResourceNotFound", take, "none",
            f"{PREFIX}/disks/none")
    refused(exceptions.HttpResponseError, 400, "InvalidParameter", take, "elsewhere",
            source.id, location="northeurope")
    names = [snapshot.name for snapshot in snapshots.list_by_resource_group(GROUP)]
    assert names == ["First", "full"], names


def copied_snapshots():
    first = snapshots.get(GROUP, "First").id
    copy = take("copied", first, location="northeurope", option="CopyStart").result()
    assert copy.location == "northeurope" and copy.completion_percent < 100
    refused(exceptions.HttpResponseError, 400, "InvalidParameter", take, "copied-2",
            f"{PREFIX}/snapshots/full", location="northeurope", option="CopyStart")


def restored_disks():
    snapshot = snapshots.get(GROUP, "First")
    key = f"{PREFIX}/diskEncryptionSets/keys"
    disk = create("restored", option="Copy", source=snapshot.id, zones=["1"], disk_size_gb=64,
                  sku=models.DiskSku(name="StandardSSD_LRS"), tags={"from": "first"},
                  encryption=models.Encryption(disk_encryption_set_id=key)).result()
    assert (disk.disk_size_gb, disk.zones) == (64, ["1"])
    assert same(disk.creation_data.source_resource_id, snapshot.id)
    assert disk.creation_data.source_unique_id == snapshot.unique_id
    assert disk.encryption.disk_encryption_set_id == key
    assert disk.encryption.type == "EncryptionAtRestWithCustomerKey"
    assert create("whole", option="Copy", source=snapshot.id).result().disk_size_gb == 32
    refused(exceptions.HttpResponseError, 400, "InvalidParameter", create, "small",
            option="Copy", source=snapshot.id, disk_size_gb=16)
    refused(exceptions.ResourceNotFoundError, 404, "ResourceNotFound", create, "none",
            option="Copy", source=f"{PREFIX}/snapshots/none")
    refused(exceptions.HttpResponseError, 400, "InvalidParameter", create, "elsewhere",
            option="Copy", source=snapshot.id, location="northeurope")


def tags():
    update = models.SnapshotUpdate(tags={"kept": "yes"})
    assert dict(snapshots.begin_update(GROUP, "first", update).result().tags) == {"kept": "yes"}
    update = models.DiskUpdate(tags={}, disk_size_gb=40)
    disk = disks.begin_update(GROUP, "one", update).result()
    assert not disk.tags and disk.disk_size_gb == 40
    same_again = create("one", disk_size_gb=40, tags={"put": "again"}).result()
    assert dict(same_again.tags) == {"put": "again"} and same_again.unique_id == disk.unique_id


def deletions():
    for snapshot in list(snapshots.list()):
        assert snapshots.begin_delete(GROUP, snapshot.name).result() is None
    assert list(snapshots.list()) == []
    snapshots.begin_delete(GROUP, "First").result()
    disks.begin_delete(GROUP, "ONE").result()
    refused(exceptions.ResourceNotFoundError, 404, "ResourceNotFound", disks.get, GROUP, "One")


# The test that runs this puts a disk `attached` there, lets snapshots take 4 looks and
# pages have 2 items.
for check in [made_disks, operations, refusals, lists, taken_snapshots, copied_snapshots,
              restored_disks, tags, deletions]:
    check()
    print(f"ok {check.__name__}")
