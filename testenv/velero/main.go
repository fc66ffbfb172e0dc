// The stock command line of Velero as a client: its commands, unchanged, without
// the server and node programs that the same binary holds, which would take most
// of the time to build and are not needed to talk to a server.
package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/vmware-tanzu/velero/pkg/client"
	"github.com/vmware-tanzu/velero/pkg/cmd"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/backup"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/backuplocation"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/bug"
	cliclient "github.com/vmware-tanzu/velero/pkg/cmd/cli/client"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/completion"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/create"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/debug"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/delete"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/describe"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/get"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/install"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/plugin"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/repo"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/restore"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/schedule"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/snapshotlocation"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/uninstall"
	"github.com/vmware-tanzu/velero/pkg/cmd/cli/version"
)

func main() {
	config, err := client.LoadConfig()
	cmd.CheckError(err)
	factory := client.NewFactory("velero", config)
	root := &cobra.Command{Use: "velero"}
	factory.BindFlags(root.PersistentFlags())
	root.AddCommand(
		backup.NewCommand(factory),
		backuplocation.NewCommand(factory),
		bug.NewCommand(),
		cliclient.NewCommand(),
		completion.NewCommand(),
		create.NewCommand(factory),
		debug.NewCommand(factory),
		delete.NewCommand(factory),
		describe.NewCommand(factory),
		get.NewCommand(factory),
		install.NewCommand(factory),
		plugin.NewCommand(factory),
		repo.NewCommand(factory),
		restore.NewCommand(factory),
		schedule.NewCommand(factory),
		snapshotlocation.NewCommand(factory),
		uninstall.NewCommand(factory),
		version.NewCommand(factory),
	)
	if root.Execute() != nil {
		os.Exit(1)
	}
}
