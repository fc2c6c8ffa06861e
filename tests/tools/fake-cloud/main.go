// An OpenTofu provider whose cloud is a folder. README.md says what it does and how to ask it for faults.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "power" {
		exit(power(os.Args[2:]))
	}
	provider, err := newServer(schemaFile(os.Getenv("SCHEMA_JSON"), os.Args[0]))
	if err != nil {
		exit(err)
	}
	exit(tf6server.Serve(provider.address, func() tfprotov6.ProviderServer { return provider }))
}

// schemaFile is the file of the schema; of a folder, the one of the provider that the program is called after:
// aws.json for terraform-provider-aws_v6.66.0.
func schemaFile(given, program string) string {
	found, err := os.Stat(given)
	if err != nil || !found.IsDir() {
		return given
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(program), "terraform-provider-"), "_")
	return filepath.Join(given, name+".json")
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fake-cloud:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// power is what `gosling power` does: it starts or stops an instance, a container's invocation or a task past the
// provider. A running invocation or task is a thing of its own, which is gone when it is stopped.
func power(arguments []string) error {
	flags := map[string]string{}
	for at := 0; at+1 < len(arguments); at += 2 {
		flags[strings.TrimPrefix(arguments[at], "--")] = arguments[at+1]
	}
	if flags["state"] != "running" && flags["state"] != "stopped" {
		return fmt.Errorf("power: the state %q is neither running nor stopped", flags["state"])
	}
	cloud, err := openCloud(os.Getenv("FAKE_CLOUD_DIR"))
	if err != nil {
		return err
	}
	kind, attribute, key := "yandex_compute_instance", "status", flags["instance"]
	switch {
	case flags["task"] != "":
		kind, key = "aws_ecs_task", flags["task"]
	case flags["container"] != "":
		kind, key = "yandex_serverless_container_invocation", flags["container"]
	case flags["cloud"] == "aws":
		kind, attribute = "aws_instance", "instance_state"
	}
	if failure := cloud.faults(cloudOf(kind), "power", kind).before(nil); failure != nil {
		return failure
	}
	return cloud.locked(func() error {
		cloud.log("power", kind, key)
		if flags["task"] != "" || flags["container"] != "" {
			if flags["state"] == "stopped" {
				cloud.remove(kind, key)
				return nil
			}
			return cloud.put(kind, key, object{
				"id": key, "cluster": flags["cluster"], "definition": flags["definition"], "runner": flags["runner"],
			})
		}
		thing, found := cloud.get(kind, key)
		if !found {
			return fmt.Errorf("power: there is no instance %s", key)
		}
		thing[attribute] = flags["state"]
		return cloud.put(kind, key, thing)
	})
}
