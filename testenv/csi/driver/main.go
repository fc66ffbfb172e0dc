// A CSI driver whose volumes are folders on this machine, for tests without a node:
// its controller service makes, snapshots, restores and deletes them for real; nothing
// is ever mounted. csi-sanity, the conformance suite of CSI, judges it.
//
//	driver --endpoint SOCKET --state FOLDER
//
// The state folder holds `volumes/ID/data`, `snapshots/ID/data` and a `record.json` beside
// each. A `behaviour.json`, beside a volume or in the state folder for all volumes, is
// read before every snapshot.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	driverName = "folders.csi.ark.heptio.com"
	version    = "1.0.0"
)

type identity struct {
	csi.UnimplementedIdentityServer
}

func (identity) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: version}, nil
}

func (identity) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	service := func(kind csi.PluginCapability_Service_Type) *csi.PluginCapability {
		return &csi.PluginCapability{Type: &csi.PluginCapability_Service_{Service: &csi.PluginCapability_Service{Type: kind}}}
	}
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{
		service(csi.PluginCapability_Service_CONTROLLER_SERVICE),
		service(csi.PluginCapability_Service_GROUP_CONTROLLER_SERVICE),
	}}, nil
}

func (identity) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

// Tells its name; there is hardly anything else that it could do on a node.
type node struct {
	csi.UnimplementedNodeServer
}

func (node) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: "none"}, nil
}

func (node) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

// Nothing is ever mounted, so everything is unmounted.
func (node) NodeUnpublishVolume(context.Context, *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

func main() {
	endpoint := flag.String("endpoint", "", "path of the socket to listen on")
	state := flag.String("state", "", "folder of volumes and snapshots")
	flag.Parse()
	if *endpoint == "" || *state == "" {
		log.Fatal("--endpoint and --state must be given")
	}
	_ = os.Remove(*endpoint)
	listener, err := net.Listen("unix", *endpoint)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	disks := &controller{state: *state}
	csi.RegisterIdentityServer(server, identity{})
	csi.RegisterNodeServer(server, node{})
	csi.RegisterControllerServer(server, disks)
	csi.RegisterGroupControllerServer(server, &groups{disks: disks})
	log.Fatal(server.Serve(listener))
}
