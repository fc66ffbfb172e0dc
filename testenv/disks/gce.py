"""Judges the disk server with Google's own client: what it cannot read, or reads
otherwise than Compute Engine would have it, is the server's mistake.

Usage: gce.py ENDPOINT
"""

import faulthandler
import sys
import uuid

from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import InvalidOperation
from google.cloud import compute_v1 as compute
from google.oauth2.credentials import Credentials

# Whoever is told for ever that something goes on shall not wait for ever.
faulthandler.dump_traceback_later(180, exit=True)

ENDPOINT = sys.argv[1]
PROJECT, ZONE, REGION = "judged", "europe-west1-b", "europe-west1"
URL = "https://www.googleapis.com/compute/v1/"


def client(kind, credentials=None):
    # `op.result()` would ask Google itself, whatever the endpoint is; so operations
    # are waited for with clients of their own.
    options = ClientOptions(api_endpoint=ENDPOINT)
    return kind(credentials=credentials or Credentials(token="judge"), client_options=options)


disks = client(compute.DisksClient)
regional = client(compute.RegionDisksClient)
snapshots = client(compute.SnapshotsClient)
zone_operations = client(compute.ZoneOperationsClient)
region_operations = client(compute.RegionOperationsClient)
global_operations = client(compute.GlobalOperationsClient)
DONE = compute.Operation.Status.DONE


def wait(operation):
    """The operation's end; where it is told by the operation itself."""
    assert int(operation.id) > 0 and operation.name.startswith("operation-"), operation
    if operation.zone:
        assert not operation.region
        end = zone_operations.wait(project=PROJECT, zone=ZONE, operation=operation.name)
    elif operation.region:
        end = region_operations.wait(project=PROJECT, region=REGION, operation=operation.name)
    else:
        end = global_operations.wait(project=PROJECT, operation=operation.name)
    assert end.status == DONE and end.progress == 100, end
    assert end.target_link == operation.target_link
    return end


def refused(error, reason, call, **arguments):
    try:
        call(**arguments)
    except error as problem:
        reasons = [entry["reason"] for entry in problem.errors]
        assert reasons == [reason], (reasons, problem)
        return str(problem)
    raise AssertionError(f"{error.__name__} was expected")


def make(name, **fields):
    disk = compute.Disk(name=name, **fields)
    return disks.insert_unary(project=PROJECT, zone=ZONE, disk_resource=disk)


def zonal_disks():
    kind = f"projects/{PROJECT}/zones/{ZONE}/diskTypes/pd-ssd"
    operation = make("one", size_gb=10, type_=kind, labels={"app": "shop", "tier": "db"})
    assert operation.status == compute.Operation.Status.RUNNING, operation
    assert operation.zone == f"{URL}projects/{PROJECT}/zones/{ZONE}", operation
    seen = zone_operations.get(project=PROJECT, zone=ZONE, operation=operation.name)
    assert seen.status == compute.Operation.Status.RUNNING
    wait(operation)
    disk = disks.get(project=PROJECT, zone=ZONE, disk="one")
    assert (disk.name, disk.size_gb, disk.status) == ("one", 10, "READY"), disk
    assert disk.type_ == URL + kind and disk.zone == f"{URL}projects/{PROJECT}/zones/{ZONE}"
    assert dict(disk.labels) == {"app": "shop", "tier": "db"} and disk.label_fingerprint
    assert disk.id > 0 and disk.creation_timestamp and disk.self_link == operation.target_link
    assert operation.target_id == disk.id

    refused(exceptions.Conflict, "alreadyExists", make, name="one", size_gb=10)
    refused(exceptions.BadRequest, "invalid", make, name="One", size_gb=10)
    refused(exceptions.BadRequest, "invalid", make, name="two", type_="pd-ssd")
    refused(exceptions.BadRequest, "invalid", make, name="two", labels={"ark.io/a": "b"})
    refused(exceptions.BadRequest, "invalid", make, name="two", labels={"a": "B"})
    refused(exceptions.NotFound, "notFound", disks.get, project=PROJECT, zone=ZONE, disk="two")
    anonymous = client(compute.DisksClient, AnonymousCredentials())
    try:
        anonymous.get(project=PROJECT, zone=ZONE, disk="one")
        raise AssertionError("nobody was asked for a token")
    except InvalidOperation as problem:
        # What the client says who is told 401 and has no way to get a token.
        assert "refreshed" in str(problem)


def repeated_requests():
    request = compute.InsertDiskRequest(
        project=PROJECT, zone=ZONE, request_id=str(uuid.uuid4()),
        disk_resource=compute.Disk(name="once", size_gb=10))
    first = disks.insert_unary(request=request)
    assert disks.insert_unary(request=request).name == first.name
    request.request_id = str(uuid.uuid4())
    refused(exceptions.Conflict, "alreadyExists", disks.insert_unary, request=request)
    request.request_id = "twice"
    refused(exceptions.BadRequest, "invalid", disks.insert_unary, request=request)
    wait(first)


def lists():
    for index in range(5):
        labels = {"number": str(index), "set": "listed"}
        wait(make(f"listed-{index}", size_gb=1, labels=labels))

    def names(text, size=None):
        request = compute.ListDisksRequest(
            project=PROJECT, zone=ZONE, filter=text, max_results=size)
        pager = disks.list(request=request)
        pages = [[disk.name for disk in page.items] for page in pager.pages]
        return pages

    everything = [f"listed-{index}" for index in range(5)]
    assert sum(names("labels.set=listed"), []) == everything
    assert [len(page) for page in names("labels.set=listed", 2)] == [2, 2, 1]
    assert names("labels.set=listed AND labels.number=3") == [["listed-3"]]
    assert names("(labels.set=listed) (labels.number=3)") == [["listed-3"]]
    assert sum(names("labels.number:*"), []) == everything
    assert names("name=one") == [["one"]]
    assert names("labels.set=none") == [[]]
    for text in ["labels.set!=listed", "labels.a=b labels.c=d", "sizeGb>1"]:
        refused(exceptions.BadRequest, "invalid", names, text=text)
    scopes = dict(disks.aggregated_list(project=PROJECT))
    assert len(scopes[f"zones/{ZONE}"].disks) == 8, scopes
    for name in everything:
        wait(disks.delete_unary(project=PROJECT, zone=ZONE, disk=name))
    assert names("labels.set=listed") == [[]]


def ready(name):
    """The snapshot in the end, and all states that were seen on the way."""
    states = []
    while True:
        snapshot = snapshots.get(project=PROJECT, snapshot=name)
        states.append(snapshot.status)
        if snapshot.status in ("READY", "FAILED"):
            return snapshot, states


def taken_snapshots():
    def create(name, disk="one", **fields):
        return disks.create_snapshot_unary(
            project=PROJECT, zone=ZONE, disk=disk,
            snapshot_resource=compute.Snapshot(name=name, **fields))

    operation = create("first", labels={"backup": "nightly"}, description="of one",
                       storage_locations=["europe-west1"])
    assert operation.zone and operation.operation_type == "createSnapshot", operation
    target = f"projects/{PROJECT}/global/snapshots/first"
    assert operation.target_link == URL + target
    early = compute.Disk(name="early", source_snapshot="global/snapshots/first")
    refused(exceptions.BadRequest, "resourceNotReady", disks.insert_unary,
            project=PROJECT, zone=ZONE, disk_resource=early)
    wait(operation)
    snapshot, states = ready("first")
    assert states == ["CREATING", "UPLOADING", "UPLOADING", "READY"], states
    disk = disks.get(project=PROJECT, zone=ZONE, disk="one")
    assert snapshot.source_disk == disk.self_link and int(snapshot.source_disk_id) == disk.id
    assert (snapshot.disk_size_gb, snapshot.description) == (10, "of one")
    assert dict(snapshot.labels) == {"backup": "nightly"} and snapshot.storage_bytes > 0
    assert list(snapshot.storage_locations) == ["europe-west1"]
    refused(exceptions.Conflict, "alreadyExists", create, name="first")
    refused(exceptions.NotFound, "notFound", create, name="second", disk="none")

    operation = snapshots.insert_unary(
        project=PROJECT,
        snapshot_resource=compute.Snapshot(name="second", source_disk=disk.self_link))
    assert not operation.zone and not operation.region, operation
    wait(operation)
    snapshot, _ = ready("second")
    assert list(snapshot.storage_locations) == ["eu"] and not snapshot.labels
    found = snapshots.list(request=compute.ListSnapshotsRequest(
        project=PROJECT, filter="labels.backup=nightly", max_results=1))
    assert [snapshot.name for snapshot in found] == ["first"]


def restored_disks():
    for name, source in [("full", URL), ("partial", ""), ("host", f"{ENDPOINT}/compute/v1/")]:
        source = f"{source}projects/{PROJECT}/global/snapshots/first"
        wait(make(f"restored-{name}", source_snapshot=source, labels={"from": "first"}))
        disk = disks.get(project=PROJECT, zone=ZONE, disk=f"restored-{name}")
        snapshot = snapshots.get(project=PROJECT, snapshot="first")
        assert disk.source_snapshot == snapshot.self_link
        assert int(disk.source_snapshot_id) == snapshot.id and disk.size_gb == 10
    text = refused(exceptions.BadRequest, "invalid", make, name="small", size_gb=9,
                   source_snapshot="global/snapshots/first")
    assert "10 GB" in text, text
    refused(exceptions.NotFound, "notFound", make, name="none",
            source_snapshot="global/snapshots/none")


def set_labels():
    snapshot = snapshots.get(project=PROJECT, snapshot="second")
    request = compute.GlobalSetLabelsRequest(
        labels={"kept": "yes"}, label_fingerprint=snapshot.label_fingerprint)
    wait(snapshots.set_labels_unary(
        project=PROJECT, resource="second", global_set_labels_request_resource=request))
    assert dict(snapshots.get(project=PROJECT, snapshot="second").labels) == {"kept": "yes"}
    refused(exceptions.PreconditionFailed, "conditionNotMet", snapshots.set_labels_unary,
            project=PROJECT, resource="second", global_set_labels_request_resource=request)
    disk = disks.get(project=PROJECT, zone=ZONE, disk="one")
    request = compute.ZoneSetLabelsRequest(labels={}, label_fingerprint=disk.label_fingerprint)
    wait(disks.set_labels_unary(project=PROJECT, zone=ZONE, resource="one",
                                zone_set_labels_request_resource=request))
    assert not disks.get(project=PROJECT, zone=ZONE, disk="one").labels


def regional_disks():
    zones = [f"projects/{PROJECT}/zones/{REGION}-{letter}" for letter in "bc"]

    def insert(name, **fields):
        return regional.insert_unary(
            project=PROJECT, region=REGION, disk_resource=compute.Disk(name=name, **fields))

    operation = insert("wide", replica_zones=zones, source_snapshot="global/snapshots/first",
                       type_=f"regions/{REGION}/diskTypes/pd-balanced", size_gb=20)
    assert operation.region and not operation.zone
    wait(operation)
    disk = regional.get(project=PROJECT, region=REGION, disk="wide")
    assert list(disk.replica_zones) == [URL + zone for zone in zones], disk
    assert disk.region == f"{URL}projects/{PROJECT}/regions/{REGION}" and disk.size_gb == 20
    refused(exceptions.BadRequest, "invalid", insert, name="narrow", replica_zones=zones[:1])
    wait(regional.create_snapshot_unary(
        project=PROJECT, region=REGION, disk="wide",
        snapshot_resource=compute.Snapshot(name="of-wide")))
    assert ready("of-wide")[0].source_disk == disk.self_link
    assert [disk.name for disk in regional.list(project=PROJECT, region=REGION)] == ["wide"]
    wait(regional.delete_unary(project=PROJECT, region=REGION, disk="wide"))


def deletions():
    for snapshot in [snapshot.name for snapshot in snapshots.list(project=PROJECT)]:
        wait(snapshots.delete_unary(project=PROJECT, snapshot=snapshot))
    refused(exceptions.NotFound, "notFound", snapshots.delete_unary,
            project=PROJECT, snapshot="first")
    refused(exceptions.BadRequest, "resourceInUseByAnotherResource", disks.delete_unary,
            project=PROJECT, zone=ZONE, disk="attached")
    wait(disks.delete_unary(project=PROJECT, zone=ZONE, disk="one"))
    refused(exceptions.NotFound, "notFound", disks.delete_unary,
            project=PROJECT, zone=ZONE, disk="one")


# The test that runs this puts a disk `attached` there and lets snapshots take 3 looks.
for check in [zonal_disks, repeated_requests, lists, taken_snapshots, restored_disks,
              set_labels, regional_disks, deletions]:
    check()
    print(f"ok {check.__name__}")
