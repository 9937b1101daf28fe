// Prometheus' Eureka discovery, steered by lines on stdin.
//
// Its argument is the configuration of one eureka_sd_config, as YAML. `targets` is answered by
// `{"refreshes": N, "targets": […]}`: how often it has discovered targets, and the labels of those it
// discovered last; `stop` as tests/clients/application.rs tells.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/eureka"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"go.yaml.in/yaml/v2"

	"rs-registry/tests/clients/lines"
)

type discovered struct {
	lock      sync.Mutex
	refreshes int
	targets   []model.LabelSet
}

func main() {
	discoverer, err := configured(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	groups := make(chan []*targetgroup.Group)
	go discoverer.Run(context.Background(), groups)
	found := &discovered{targets: []model.LabelSet{}}
	go func() {
		for all := range groups {
			found.take(all)
		}
	}()
	lines.Serve(found.answer)
}

func configured(text string) (discovery.Discoverer, error) {
	config := &eureka.SDConfig{}
	if err := yaml.UnmarshalStrict([]byte(text), config); err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	refreshes := discovery.NewRefreshMetrics(registry)
	return config.NewDiscoverer(discovery.DiscovererOptions{
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Metrics: config.NewDiscovererMetrics(registry, refreshes),
		SetName: "test",
	})
}

// Each time the discovery tells all targets in its one group.
func (d *discovered) take(groups []*targetgroup.Group) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.refreshes++
	d.targets = []model.LabelSet{}
	for _, group := range groups {
		d.targets = append(d.targets, group.Targets...)
	}
}

func (d *discovered) answer(command string, _ []string) (any, error) {
	switch command {
	case "targets":
		d.lock.Lock()
		defer d.lock.Unlock()
		return map[string]any{"refreshes": d.refreshes, "targets": d.targets}, nil
	case "stop":
		return lines.Stopped, nil
	default:
		return nil, fmt.Errorf("no command %s", command)
	}
}
