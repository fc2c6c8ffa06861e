// An OpenTofu provider whose cloud is a folder. README.md says what it does and how to ask it for faults.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "power" {
		exit(power(os.Args[2:]))
	}
	provider, err := newServer(os.Getenv("SCHEMA_JSON"))
	if err != nil {
		exit(err)
	}
	exit(tf6server.Serve(provider.address, func() tfprotov6.ProviderServer { return provider }))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fake-cloud:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// power is what `gosling power` does: it starts or stops an instance past the provider.
func power(arguments []string) error {
	flags := map[string]string{}
	for at := 0; at+1 < len(arguments); at += 2 {
		flags[strings.TrimPrefix(arguments[at], "--")] = arguments[at+1]
	}
	kind, attribute := "yandex_compute_instance", "status"
	if flags["cloud"] == "aws" {
		kind, attribute = "aws_instance", "instance_state"
	}
	if flags["state"] != "running" && flags["state"] != "stopped" {
		return fmt.Errorf("power: the state %q is neither running nor stopped", flags["state"])
	}
	cloud, err := openCloud(os.Getenv("FAKE_CLOUD_DIR"))
	if err != nil {
		return err
	}
	if failure := cloud.faults(cloudOf(kind), "power", kind).before(nil); failure != nil {
		return failure
	}
	return cloud.locked(func() error {
		thing, found := cloud.get(kind, flags["instance"])
		if !found {
			return fmt.Errorf("power: there is no instance %s", flags["instance"])
		}
		thing[attribute] = flags["state"]
		cloud.log("power", kind, flags["instance"])
		return cloud.put(kind, flags["instance"], thing)
	})
}
