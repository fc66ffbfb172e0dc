package main

import (
	"context"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const gibibyte = 1 << 30

type controller struct {
	csi.UnimplementedControllerServer
	state string
	// Held while folders are looked at or changed.
	folders sync.Mutex
	// How many snapshots are being cut.
	counting sync.Mutex
	cutting  int
}

func (c *controller) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	var all []*csi.ControllerServiceCapability
	for _, kind := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csi.ControllerServiceCapability_RPC_LIST_SNAPSHOTS,
	} {
		all = append(all, &csi.ControllerServiceCapability{Type: &csi.ControllerServiceCapability_Rpc{
			Rpc: &csi.ControllerServiceCapability_RPC{Type: kind}}})
	}
	return &csi.ControllerGetCapabilitiesResponse{Capabilities: all}, nil
}

func (c *controller) ValidateVolumeCapabilities(_ context.Context, request *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if request.VolumeId == "" || len(request.VolumeCapabilities) == 0 {
		return nil, status.Error(codes.InvalidArgument, "volume and capabilities must be given")
	}
	if volume, err := c.read(volumes, request.VolumeId); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	} else if volume == nil {
		return nil, status.Errorf(codes.NotFound, "no volume %s", request.VolumeId)
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeCapabilities: request.VolumeCapabilities}}, nil
}

func (c *controller) CreateVolume(_ context.Context, request *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if request.Name == "" || len(request.VolumeCapabilities) == 0 {
		return nil, status.Error(codes.InvalidArgument, "name and capabilities must be given")
	}
	made := &record{ID: idOf(request.Name), Name: request.Name, Bytes: request.GetCapacityRange().GetRequiredBytes(), Created: time.Now()}
	if made.Bytes == 0 {
		made.Bytes = gibibyte
	}
	c.folders.Lock()
	defer c.folders.Unlock()
	old, err := c.read(volumes, made.ID)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if old != nil {
		if old.Bytes != made.Bytes {
			return nil, status.Errorf(codes.AlreadyExists, "%s exists with another size", request.Name)
		}
		return &csi.CreateVolumeResponse{Volume: asVolume(old, request.VolumeContentSource)}, nil
	}
	data := ""
	if source := request.VolumeContentSource; source != nil {
		made.Snapshot = source.GetSnapshot().GetSnapshotId()
		snapshot, err := c.read(snapshots, made.Snapshot)
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		if snapshot == nil {
			return nil, status.Errorf(codes.NotFound, "no snapshot `%s`", made.Snapshot)
		}
		if snapshot.Bytes > made.Bytes {
			return nil, status.Errorf(codes.OutOfRange, "the snapshot needs %d bytes", snapshot.Bytes)
		}
		data = filepath.Join(c.folder(snapshots, snapshot.ID), "data")
	}
	if err := c.write(volumes, made, data); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.CreateVolumeResponse{Volume: asVolume(made, request.VolumeContentSource)}, nil
}

func asVolume(one *record, source *csi.VolumeContentSource) *csi.Volume {
	return &csi.Volume{VolumeId: one.ID, CapacityBytes: one.Bytes, ContentSource: source}
}

func (c *controller) DeleteVolume(_ context.Context, request *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	if request.VolumeId == "" {
		return nil, status.Error(codes.InvalidArgument, "volume must be given")
	}
	c.folders.Lock()
	defer c.folders.Unlock()
	if err := c.remove(volumes, request.VolumeId); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.DeleteVolumeResponse{}, nil
}

func (c *controller) CreateSnapshot(ctx context.Context, request *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if request.Name == "" || request.SourceVolumeId == "" {
		return nil, status.Error(codes.InvalidArgument, "name and volume must be given")
	}
	of := request.SourceVolumeId
	wanted, err := c.behaviour(of)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if wanted.RefuseCode != 0 {
		return nil, status.Error(codes.Code(wanted.RefuseCode), wanted.RefuseMessage)
	}
	if known, err := c.read(snapshots, idOf(request.Name)); err == nil && known != nil && known.Volume == of {
		return &csi.CreateSnapshotResponse{Snapshot: asSnapshot(known)}, nil
	}
	if err := c.cut(ctx, wanted); err != nil {
		return nil, err
	}
	made, err := c.snapshot(request.Name, of, "", wanted)
	if err != nil {
		return nil, err
	}
	return &csi.CreateSnapshotResponse{Snapshot: asSnapshot(made)}, nil
}

// Takes the time that cutting a snapshot takes, when its turn has come.
func (c *controller) cut(ctx context.Context, wanted behaviour) error {
	for wanted.AtOnce > 0 {
		c.counting.Lock()
		free := c.cutting < wanted.AtOnce
		if free {
			c.cutting++
		}
		c.counting.Unlock()
		if free {
			defer func() {
				c.counting.Lock()
				c.cutting--
				c.counting.Unlock()
			}()
			break
		}
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	select {
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	case <-time.After(time.Duration(wanted.CutMillis) * time.Millisecond):
		return nil
	}
}

func (c *controller) snapshot(name, of, group string, wanted behaviour) (*record, error) {
	c.folders.Lock()
	defer c.folders.Unlock()
	id := idOf(name)
	old, err := c.read(snapshots, id)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if old != nil {
		if old.Volume != of {
			return nil, status.Errorf(codes.AlreadyExists, "%s exists of another volume", name)
		}
		return old, nil
	}
	volume, err := c.read(volumes, of)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if volume == nil {
		return nil, status.Errorf(codes.NotFound, "no volume %s", of)
	}
	now := time.Now()
	made := &record{ID: id, Name: name, Bytes: volume.Bytes, Created: now, Volume: of, Group: group,
		Ready: now.Add(time.Duration(wanted.ReadyMillis) * time.Millisecond)}
	if err := c.write(snapshots, made, filepath.Join(c.folder(volumes, of), "data")); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return made, nil
}

func asSnapshot(one *record) *csi.Snapshot {
	return &csi.Snapshot{SnapshotId: one.ID, SourceVolumeId: one.Volume, SizeBytes: one.Bytes,
		CreationTime: timestamppb.New(one.Created), ReadyToUse: !time.Now().Before(one.Ready),
		GroupSnapshotId: one.Group}
}

func (c *controller) DeleteSnapshot(_ context.Context, request *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if request.SnapshotId == "" {
		return nil, status.Error(codes.InvalidArgument, "snapshot must be given")
	}
	c.folders.Lock()
	defer c.folders.Unlock()
	if err := c.remove(snapshots, request.SnapshotId); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.DeleteSnapshotResponse{}, nil
}

func (c *controller) ListSnapshots(_ context.Context, request *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	all, err := c.all(snapshots)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	answer := &csi.ListSnapshotsResponse{}
	for _, one := range all {
		wanted := (request.SnapshotId == "" || request.SnapshotId == one.ID) &&
			(request.SourceVolumeId == "" || request.SourceVolumeId == one.Volume)
		if wanted {
			answer.Entries = append(answer.Entries, &csi.ListSnapshotsResponse_Entry{Snapshot: asSnapshot(one)})
		}
	}
	begin := 0
	if request.StartingToken != "" {
		if begin, err = strconv.Atoi(request.StartingToken); err != nil || begin > len(answer.Entries) {
			return nil, status.Errorf(codes.Aborted, "no such token: %s", request.StartingToken)
		}
	}
	answer.Entries = answer.Entries[begin:]
	if most := int(request.MaxEntries); most > 0 && most < len(answer.Entries) {
		answer.Entries = answer.Entries[:most]
		answer.NextToken = strconv.Itoa(begin + most)
	}
	return answer, nil
}
