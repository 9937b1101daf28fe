// Serves etcd as its own program does, and loads a cluster of it the way that `rs-registry bench`
// loads registries: 64 requests under way at a time, each worker's next one behind the answer.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

const usage = "usage: etcd serve ETCD-FLAGS | etcd load keepalive|register|fill FLAGS"

func main() {
	switch {
	case len(os.Args) >= 2 && os.Args[1] == "serve":
		etcdmain.Main(append([]string{"etcd"}, os.Args[2:]...))
	case len(os.Args) >= 3 && os.Args[1] == "load":
		if err := runLoad(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}

func runLoad(workload string, args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	endpoints := flags.String("endpoints", "", "HOST:PORT,… of the members")
	var plan plan
	flags.IntVar(&plan.workers, "workers", 64, "requests under way at a time")
	flags.IntVar(&plan.workersPerConnection, "workers-per-connection", 1, "workers that share a connection")
	flags.IntVar(&plan.leases, "leases", 1000, "leases to work on")
	flags.IntVar(&plan.valueBytes, "value-bytes", 1024, "size of a value")
	flags.DurationVar(&plan.warmUp, "warm-up", 2*time.Second, "load before the measured time")
	flags.DurationVar(&plan.measured, "measured", 5*time.Second, "measured time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	plan.endpoints = strings.Split(*endpoints, ",")
	report, err := plan.run(workload)
	if err != nil {
		return fmt.Errorf("load %s: %w", workload, err)
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}
