// Command playout-cluster runs a real Kubernetes control plane for tests and
// demos in one process: etcd, kube-apiserver with RBAC, and the few controllers
// without which an operator cannot be tested honestly (namespaces, garbage
// collection, service accounts, aggregated cluster roles). There are no nodes
// and no scheduler: a Pod can be created, but never runs.
//
// Called under the name kubectl (a symlink), the binary is kubectl.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// startTimeout is generous: a start takes seconds, but test machines are busy.
const startTimeout = 3 * time.Minute

func main() {
	if filepath.Base(os.Args[0]) == "kubectl" {
		runKubectl()
		return
	}
	opts, err := parseFlags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "playout-cluster:", err)
		os.Exit(1)
	}
}

type options struct {
	dir      string
	port     int
	keep     bool
	auditLog string
}

func parseFlags(args []string) (*options, error) {
	opts := &options{}
	fs := flag.NewFlagSet("playout-cluster", flag.ContinueOnError)
	fs.StringVar(&opts.dir, "dir", "", "directory for all state; created if missing (required)")
	fs.IntVar(&opts.port, "port", 0, "API server port on 127.0.0.1; 0 takes the port remembered in --dir, or else a free one")
	fs.BoolVar(&opts.keep, "keep", false, "keep running when stdin is closed")
	fs.StringVar(&opts.auditLog, "audit-log", "", "append every write to the playout.dev API group to this file, one JSON event a line")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case fs.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case opts.dir == "":
		return nil, errors.New("--dir is required")
	case opts.port < 0 || opts.port > 65535:
		return nil, fmt.Errorf("--port %d is not a port number", opts.port)
	}
	// The process changes its working directory later (see startEtcd), so no
	// relative path may survive this function.
	for _, path := range []*string{&opts.dir, &opts.auditLog} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return nil, err
		}
		*path = absolute
	}
	return opts, nil
}

// run returns when the cluster failed or was told to stop. It does not shut
// anything down: a draining API server takes seconds, and the process exit
// that follows is safe for the state directory (see startEtcd).
func run(opts *options) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)

	// Nothing is ever read from stdin. It is there because it is closed when the
	// parent dies, whichever way it dies: a crashed test leaves no cluster behind.
	parentGone := make(chan struct{})
	if !opts.keep {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(parentGone)
		}()
	}

	failed := make(chan error, 1)
	go func() { failed <- runCluster(context.Background(), opts) }()

	// Told to stop before it was ready: the log may tell why it took so long.
	defer serverLog.started(false)
	select {
	case err := <-failed:
		return err
	case s := <-signals:
		progress("%s: exiting", s)
		return nil
	case <-parentGone:
		progress("stdin closed: exiting")
		return nil
	}
}

// runCluster starts everything in order, announces the cluster and returns
// only when a part of it fails.
func runCluster(ctx context.Context, opts *options) error {
	begin := time.Now()
	st, err := openState(opts.dir, opts.port)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	startCtx, cancel := context.WithTimeoutCause(ctx, startTimeout,
		fmt.Errorf("not ready within %s", startTimeout))
	defer cancel()

	endpoint, err := startEtcd(startCtx, st, failed)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	progress("etcd is up after %s", since(begin))

	go func() { failed <- runAPIServer(ctx, st, endpoint, opts.auditLog) }()

	ready := make(chan error, 1)
	go func() {
		if err := waitForAPIServer(startCtx, st); err != nil {
			ready <- fmt.Errorf("kube-apiserver: %w", err)
			return
		}
		progress("kube-apiserver is ready on %s after %s", st.address(), since(begin))
		if err := startControllers(ctx, startCtx, st); err != nil {
			ready <- fmt.Errorf("controllers: %w", err)
			return
		}
		progress("controllers are running after %s", since(begin))
		ready <- nil
	}()

	select {
	case err = <-failed:
	case err = <-ready:
	}
	serverLog.started(err == nil)
	if err != nil {
		return err
	}
	// The one line on stdout, and the contract with the test harness.
	fmt.Printf("READY KUBECONFIG=%s\n", st.kubeconfig())
	return <-failed
}

func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "playout-cluster: "+format+"\n", args...)
}

func since(t time.Time) time.Duration { return time.Since(t).Round(10 * time.Millisecond) }
