package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// auditPolicy keeps the audit log down to what tests count: who wrote which
// playout.dev object (and its subresources), once per request. Leases are in
// another API group, so they are left out.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
  resources:
  - group: playout.dev
- level: None
`

// runAPIServer returns only when the API server fails.
func runAPIServer(ctx context.Context, s *state, etcd, auditLog string) error {
	serviceAccountKey := s.path("service-accounts.key")
	args := []string{
		"--etcd-servers=" + etcd,
		"--bind-address=" + host,
		"--secure-port=" + strconv.Itoa(s.port),
		"--tls-cert-file=" + s.path("serving.crt"),
		"--tls-private-key-file=" + s.path("serving.key"),
		"--token-auth-file=" + s.path("tokens.csv"),
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.0.0.0/24",
		// One key signs the tokens of TokenRequest and checks them.
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + serviceAccountKey,
		"--service-account-signing-key-file=" + serviceAccountKey,
		// By default the API server looks for the address of a network interface
		// to advertise to pods, and does not start on a machine without one.
		// Loopback is not allowed in Endpoints, so these must not be written.
		"--advertise-address=" + host,
		"--endpoint-reconciler-type=none",
		"--logging-format=" + quietFormat,
		"--profiling=false",
	}
	if auditLog != "" {
		policy := s.path("audit-policy.yaml")
		if err := writeFile(policy, []byte(auditPolicy)); err != nil {
			return err
		}
		// Blocking is the default of this back end: when a write has been
		// answered, its line is in the file.
		args = append(args, "--audit-policy-file="+policy, "--audit-log-path="+auditLog)
	}
	// Only once per process: it installs a signal handler and panics the
	// second time. The handler is harmless, ours exits first.
	command := app.NewAPIServerCommand()
	command.SilenceErrors = true // main prints them
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	if err == nil {
		err = errors.New("stopped")
	}
	return fmt.Errorf("kube-apiserver: %w", err)
}

// waitForAPIServer returns when the API server reports ready and the namespace
// "default" exists, which a ready API server may still be about to create.
func waitForAPIServer(ctx context.Context, s *state) error {
	client, err := kubernetes.NewForConfig(s.controllerConfig())
	if err != nil {
		return err
	}
	return poll(ctx, func(ctx context.Context) error {
		if _, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err != nil {
			return err
		}
		_, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
		return err
	})
}

// poll repeats check until it succeeds. When time runs out, the error tells
// what was missing.
func poll(ctx context.Context, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), last)
	}
	return nil
}
