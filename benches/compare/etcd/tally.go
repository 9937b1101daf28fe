package main

import (
	"slices"
	"time"
)

// What one worker's requests came to that were sent in the measured time.
type tally struct {
	latencies []time.Duration
	inTime    int
	errors    int
	firstSeen string
}

type report struct {
	Requests   int     `json:"requests"`
	Errors     int     `json:"errors"`
	FirstError string  `json:"first_error,omitempty"`
	Secs       float64 `json:"secs"`
	P50Micros  int64   `json:"p50_us"`
	P99Micros  int64   `json:"p99_us"`
}

func (t *tally) take(latency time.Duration, inTime bool, err error) {
	if err != nil {
		t.errors++
		t.firstSeen = err.Error()
		return
	}
	t.latencies = append(t.latencies, latency)
	if inTime {
		t.inTime++
	}
}

// Requests are those that were also answered in the measured time.
func sum(tallies []tally, measured time.Duration) report {
	all := report{Secs: measured.Seconds()}
	var latencies []time.Duration
	for _, one := range tallies {
		latencies = append(latencies, one.latencies...)
		all.Requests += one.inTime
		all.Errors += one.errors
		if all.FirstError == "" {
			all.FirstError = one.firstSeen
		}
	}
	slices.Sort(latencies)
	all.P50Micros = quantile(latencies, 0.5).Microseconds()
	all.P99Micros = quantile(latencies, 0.99).Microseconds()
	return all
}

func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}
