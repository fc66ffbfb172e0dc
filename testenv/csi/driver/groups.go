package main

import (
	"context"
	"slices"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Snapshots of several volumes at one instant.
type groups struct {
	csi.UnimplementedGroupControllerServer
	disks *controller
}

func (g *groups) GroupControllerGetCapabilities(context.Context, *csi.GroupControllerGetCapabilitiesRequest) (*csi.GroupControllerGetCapabilitiesResponse, error) {
	return &csi.GroupControllerGetCapabilitiesResponse{Capabilities: []*csi.GroupControllerServiceCapability{{
		Type: &csi.GroupControllerServiceCapability_Rpc{Rpc: &csi.GroupControllerServiceCapability_RPC{
			Type: csi.GroupControllerServiceCapability_RPC_CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT}}}}}, nil
}

func (g *groups) CreateVolumeGroupSnapshot(ctx context.Context, request *csi.CreateVolumeGroupSnapshotRequest) (*csi.CreateVolumeGroupSnapshotResponse, error) {
	if request.Name == "" || len(request.SourceVolumeIds) == 0 {
		return nil, status.Error(codes.InvalidArgument, "name and volumes must be given")
	}
	wanted, err := g.disks.behaviour(request.SourceVolumeIds[0])
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	id := idOf(request.Name)
	members, err := g.members(id)
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		if err := g.disks.cut(ctx, wanted); err != nil {
			return nil, err
		}
		for _, of := range request.SourceVolumeIds {
			if _, err := g.disks.snapshot(request.Name+" "+of, of, id, wanted); err != nil {
				return nil, err
			}
		}
		if members, err = g.members(id); err != nil {
			return nil, err
		}
	} else if !sameVolumes(members, request.SourceVolumeIds) {
		return nil, status.Errorf(codes.AlreadyExists, "%s exists of other volumes", request.Name)
	}
	return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: asGroup(id, members)}, nil
}

func sameVolumes(members []*record, ids []string) bool {
	of := func(one *record) bool { return slices.Contains(ids, one.Volume) }
	return len(members) == len(ids) && !slices.ContainsFunc(members, func(one *record) bool { return !of(one) })
}

func (g *groups) members(id string) ([]*record, error) {
	all, err := g.disks.all(snapshots)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return slices.DeleteFunc(all, func(one *record) bool { return one.Group != id }), nil
}

func asGroup(id string, members []*record) *csi.VolumeGroupSnapshot {
	group := &csi.VolumeGroupSnapshot{GroupSnapshotId: id, ReadyToUse: true, CreationTime: timestamppb.Now()}
	for _, one := range members {
		group.Snapshots = append(group.Snapshots, asSnapshot(one))
		group.CreationTime = timestamppb.New(one.Created)
		group.ReadyToUse = group.ReadyToUse && !time.Now().Before(one.Ready)
	}
	return group
}

func (g *groups) DeleteVolumeGroupSnapshot(_ context.Context, request *csi.DeleteVolumeGroupSnapshotRequest) (*csi.DeleteVolumeGroupSnapshotResponse, error) {
	if request.GroupSnapshotId == "" {
		return nil, status.Error(codes.InvalidArgument, "group must be given")
	}
	members, err := g.members(request.GroupSnapshotId)
	if err != nil {
		return nil, err
	}
	g.disks.folders.Lock()
	defer g.disks.folders.Unlock()
	for _, one := range members {
		if err := g.disks.remove(snapshots, one.ID); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
	}
	return &csi.DeleteVolumeGroupSnapshotResponse{}, nil
}

func (g *groups) GetVolumeGroupSnapshot(_ context.Context, request *csi.GetVolumeGroupSnapshotRequest) (*csi.GetVolumeGroupSnapshotResponse, error) {
	if request.GroupSnapshotId == "" {
		return nil, status.Error(codes.InvalidArgument, "group must be given")
	}
	members, err := g.members(request.GroupSnapshotId)
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, status.Errorf(codes.NotFound, "no group %s", request.GroupSnapshotId)
	}
	return &csi.GetVolumeGroupSnapshotResponse{GroupSnapshot: asGroup(request.GroupSnapshotId, members)}, nil
}
