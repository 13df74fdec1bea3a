package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// startEtcd starts etcd and returns its endpoint for the API server. Failures
// after the start go to failed.
//
// etcd listens on Unix sockets in the state directory: no ports to choose, and
// nobody else on the machine can reach the database behind the API server's
// back. A socket path is limited to about 100 bytes, less than the temporary
// directories of test frameworks, so the process moves into the directory and
// the paths are relative.
func startEtcd(ctx context.Context, s *state, failed chan<- error) (string, error) {
	if err := os.Chdir(s.dir); err != nil {
		return "", err
	}
	client := url.URL{Scheme: "unix", Host: "etcd.sock"}
	peer := url.URL{Scheme: "unix", Host: "etcd-peer.sock"}

	config := embed.NewConfig()
	config.Dir = "etcd"
	// Not "error": each new database gives one, about a version not yet stored.
	// What etcd cannot go on after is a panic.
	config.LogLevel = "panic"
	config.LogOutputs = []string{"stderr"}
	config.ListenClientUrls = []url.URL{client}
	config.ListenPeerUrls = []url.URL{peer}
	// The advertised addresses keep their TCP defaults, for etcd refuses sockets
	// there. In a cluster of one, nobody connects to them.
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	// Without fsync, what the process wrote survives its crash or SIGKILL: the
	// data is in the kernel's page cache, in the order written. Only a crash of
	// the machine can lose it, which no test cares about, while fsync would
	// dominate the time of most tests.
	config.UnsafeNoFsync = true

	// Small on disk and in memory: etcd preallocates its log in 64 MB segments
	// and keeps thousands of entries for followers that do not exist here.
	wal.SegmentSizeBytes = 4 << 20
	config.SnapshotCount = 1000
	config.SnapshotCatchUpEntries = 100
	config.MaxWalFiles, config.MaxSnapFiles = 1, 1

	// A cluster of one elects itself, but waits for others first: up to a second
	// by default. Milliseconds; etcd wants at least five ticks an election.
	config.TickMs, config.ElectionMs = 20, 100

	server, err := embed.StartEtcd(config)
	if err != nil {
		return "", err
	}
	select {
	case <-server.Server.ReadyNotify():
	case err := <-server.Err():
		return "", err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	go func() {
		err, running := <-server.Err()
		if !running {
			err = errors.New("stopped")
		}
		failed <- fmt.Errorf("etcd: %w", err)
	}()
	return client.String(), nil
}
