// Measures what the HCL library of HashiCorp takes for the files of a Nest: lists them, then reads and parses them with
// two threads and, with -decode, decodes them into structs with gohcl. It is no part of the tests.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

type file struct {
	Eggs    []runnerSource `hcl:"egg,block"`
	Buckets []runnerSource `hcl:"eggsbucket,block"`
	Jobs    []job          `hcl:"job,block"`
	UglyFox *uglyFox       `hcl:"uglyfox,block"`
}

type runnerSource struct {
	Name         string        `hcl:"name,label"`
	Type         string        `hcl:"type"`
	Cloud        *cloud        `hcl:"cloud,block"`
	Resources    *resources    `hcl:"resources,block"`
	Runner       *runner       `hcl:"runner,block"`
	GitLab       *gitLab       `hcl:"gitlab,block"`
	Repositories *repositories `hcl:"repositories,block"`
	Environment  *environment  `hcl:"environment,block"`
}

type cloud struct {
	Provider string `hcl:"provider"`
	Region   string `hcl:"region"`
}

type resources struct {
	CPU    int `hcl:"cpu"`
	Memory int `hcl:"memory"`
	Disk   int `hcl:"disk"`
}

type runner struct {
	Type        string   `hcl:"type,optional"`
	Tags        []string `hcl:"tags,optional"`
	Concurrent  int      `hcl:"concurrent,optional"`
	IdleTimeout string   `hcl:"idle_timeout,optional"`
}

type gitLab struct {
	Server    string `hcl:"server,optional"`
	ProjectID int    `hcl:"project_id,optional"`
	GroupID   int    `hcl:"group_id,optional"`
}

type repositories struct {
	Repos []repo `hcl:"repo,block"`
}

type repo struct {
	Name   string  `hcl:"name,label"`
	GitLab *gitLab `hcl:"gitlab,block"`
}

type environment struct {
	Variables map[string]string `hcl:",remain"`
}

type job struct {
	Name      string   `hcl:"name,label"`
	Schedule  string   `hcl:"schedule"`
	Runner    *runner  `hcl:"runner,block"`
	Script    string   `hcl:"script"`
	OnFailure *failure `hcl:"on_failure,block"`
}

type failure struct {
	Notify []string `hcl:"notify,optional"`
}

type uglyFox struct {
	Rest hcl.Body `hcl:",remain"`
}

func main() {
	decode := flag.Bool("decode", false, "decode into structs as well")
	flag.Parse()
	root := flag.Arg(0)
	if root == "" {
		root = "."
	}
	runtime.GOMAXPROCS(2)

	start := time.Now()
	var paths []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".fly") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	listed := time.Since(start)

	start = time.Now()
	var next, wrong atomic.Int64
	var threads sync.WaitGroup
	for range 2 {
		threads.Go(func() {
			for {
				at := int(next.Add(1)) - 1
				if at >= len(paths) {
					return
				}
				if err := handle(paths[at], *decode); err != nil {
					wrong.Add(1)
					fmt.Fprintln(os.Stderr, err)
				}
			}
		})
	}
	threads.Wait()
	fmt.Printf("%d files, %d wrong: listed in %v, handled by two threads in %v\n",
		len(paths), wrong.Load(), listed.Round(100*time.Microsecond), time.Since(start).Round(100*time.Microsecond))
}

func handle(path string, decode bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	parsed, diagnostics := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return diagnostics
	}
	if decode {
		var into file
		if diagnostics := gohcl.DecodeBody(parsed.Body, nil, &into); diagnostics.HasErrors() {
			return diagnostics
		}
	}
	return nil
}
