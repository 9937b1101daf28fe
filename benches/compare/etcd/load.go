package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

type plan struct {
	endpoints            []string
	workers              int
	workersPerConnection int
	leases               int
	valueBytes           int
	warmUp               time.Duration
	measured             time.Duration
}

// For whatever has to be done before the measured time, and for requests under way at its end.
const patience = 60 * time.Second

// A pause of a worker whose request failed, so that a dead member is not asked without end.
const failurePause = 10 * time.Millisecond

// What one worker does again and again. It is used by that worker alone.
type step func(ctx context.Context) error

func (p plan) run(workload string) (report, error) {
	if p.workers < 1 || p.workersPerConnection < 1 || p.leases < p.workers {
		return report{}, errors.New("at least one worker, and a lease for each, are needed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience+p.warmUp+p.measured)
	defer cancel()
	connections, err := p.connect()
	if err != nil {
		return report{}, err
	}
	prepare := map[string]func(context.Context, *worker) (step, error){
		"keepalive": keepAlive,
		"register":  register,
		"fill":      fill,
	}[workload]
	if prepare == nil {
		return report{}, errors.New("no such workload; there are keepalive, register and fill")
	}
	steps := make([]step, p.workers)
	err = each(p.workers, func(at int) error {
		conn := connections[at/p.workersPerConnection]
		worker := &worker{plan: p, at: at, leases: pb.NewLeaseClient(conn), kv: pb.NewKVClient(conn)}
		var err error
		steps[at], err = prepare(ctx, worker)
		return err
	})
	if err != nil || workload == "fill" {
		return report{}, err
	}
	return p.drive(ctx, steps)
}

// Connections of their own, spread over the members.
func (p plan) connect() ([]*grpc.ClientConn, error) {
	count := (p.workers + p.workersPerConnection - 1) / p.workersPerConnection
	connections := make([]*grpc.ClientConn, count)
	for at := range connections {
		endpoint := p.endpoints[at%len(p.endpoints)]
		conn, err := grpc.NewClient("passthrough:///"+endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", endpoint, err)
		}
		connections[at] = conn
	}
	return connections, nil
}

func (p plan) drive(ctx context.Context, steps []step) (report, error) {
	begin := time.Now().Add(p.warmUp)
	end := begin.Add(p.measured)
	tallies := make([]tally, len(steps))
	err := each(len(steps), func(at int) error {
		for {
			sent := time.Now()
			if sent.After(end) {
				return nil
			}
			err := steps[at](ctx)
			answered := time.Now()
			if !sent.Before(begin) {
				tallies[at].take(answered.Sub(sent), answered.Before(end), err)
			}
			if err != nil {
				time.Sleep(failurePause)
			}
		}
	})
	return sum(tallies, p.measured), err
}

// Runs it for 0..count at the same time, and returns what failed.
func each(count int, run func(at int) error) error {
	failures := make([]error, count)
	var group sync.WaitGroup
	for at := range count {
		group.Go(func() { failures[at] = run(at) })
	}
	group.Wait()
	return errors.Join(failures...)
}
