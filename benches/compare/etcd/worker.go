package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Outlives any run.
const leaseSeconds = 3600

type worker struct {
	plan   plan
	at     int
	leases pb.LeaseClient
	kv     pb.KVClient
}

// Keeps this worker's share of the leases alive, one request after the other on one stream.
func keepAlive(ctx context.Context, w *worker) (step, error) {
	var ids []int64
	for range w.share() {
		id, err := w.grant(ctx)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	stream, err := w.leases.LeaseKeepAlive(ctx)
	if err != nil {
		return nil, err
	}
	next := 0
	return func(context.Context) error {
		id := ids[next]
		next = (next + 1) % len(ids)
		if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: id}); err != nil {
			return err
		}
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		if answer.ID != id || answer.TTL <= 0 {
			return errors.New("the lease is gone")
		}
		return nil
	}, nil
}

// Registers this worker's share of the instances again and again: a lease, and a value under it.
func register(_ context.Context, w *worker) (step, error) {
	next, share := 0, w.share()
	return func(ctx context.Context) error {
		number := share[next]
		next = (next + 1) % len(share)
		return w.register(ctx, number)
	}, nil
}

// Registers this worker's share of the instances once.
func fill(ctx context.Context, w *worker) (step, error) {
	for _, number := range w.share() {
		if err := w.register(ctx, number); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (w *worker) register(ctx context.Context, number int) error {
	id, err := w.grant(ctx)
	if err != nil {
		return err
	}
	key := fmt.Appendf(nil, "apps/BENCH-%d/i-%d", number/100, number)
	value := bytes.Repeat([]byte{'a' + byte(number%26)}, w.plan.valueBytes)
	_, err = w.kv.Put(ctx, &pb.PutRequest{Key: key, Value: value, Lease: id})
	return err
}

func (w *worker) grant(ctx context.Context) (int64, error) {
	answer, err := w.leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: leaseSeconds})
	if err != nil {
		return 0, err
	}
	return answer.ID, nil
}

func (w *worker) share() []int {
	var share []int
	for number := w.at; number < w.plan.leases; number += w.plan.workers {
		share = append(share, number)
	}
	return share
}
