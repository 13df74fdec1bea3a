package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const host = "127.0.0.1"

// state is the state directory: everything that makes a second start with the
// same directory the same cluster.
type state struct {
	dir  string
	port int

	caCert          []byte // PEM
	adminToken      string
	controllerToken string // of this process only

	lock *os.File // held open for the lifetime of the process
}

func (s *state) path(name string) string { return filepath.Join(s.dir, name) }
func (s *state) kubeconfig() string      { return s.path("kubeconfig") }
func (s *state) address() string {
	return "https://" + net.JoinHostPort(host, strconv.Itoa(s.port))
}

// controllerConfig is the identity of the controllers of this process. It is
// not the admin, so that an audit log tells their writes from those of tests.
func (s *state) controllerConfig() *rest.Config {
	return &rest.Config{
		Host:            s.address(),
		BearerToken:     s.controllerToken,
		TLSClientConfig: rest.TLSClientConfig{CAData: s.caCert},
		QPS:             -1, // no client-side rate limit
		UserAgent:       "playout-cluster",
	}
}

// openState creates the directory or takes it up again, and leaves in it all
// files that the API server and its users read.
func openState(dir string, port int) (*state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &state{dir: dir, controllerToken: rand.Text()}
	var err error
	// Before anything is written: two processes must not share a directory.
	if s.lock, err = lockFile(s.path("lock")); err != nil {
		return nil, err
	}
	if s.port, err = s.choosePort(port); err != nil {
		return nil, err
	}
	token, err := loadOrCreate(s.path("admin-token"), func() ([]byte, error) { return []byte(rand.Text()), nil })
	if err != nil {
		return nil, err
	}
	s.adminToken = string(token)
	if _, err := loadOrCreate(s.path("service-accounts.key"), newPrivateKeyPEM); err != nil {
		return nil, err
	}
	if err := s.writeCertificates(); err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	// Columns: token, user, uid, groups. system:masters passes every RBAC check,
	// so the admin may also impersonate anyone.
	tokens := fmt.Sprintf("%s,admin,admin,system:masters\n%s,system:kube-controller-manager,system:kube-controller-manager,system:masters\n",
		s.adminToken, s.controllerToken)
	if err := writeFile(s.path("tokens.csv"), []byte(tokens)); err != nil {
		return nil, err
	}
	return s, s.writeKubeconfig()
}

func (s *state) writeKubeconfig() error {
	const name = "playout-cluster"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: s.address(), CertificateAuthorityData: s.caCert}
	config.AuthInfos["admin"] = &clientcmdapi.AuthInfo{Token: s.adminToken}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: "admin"}
	config.CurrentContext = name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	return writeFile(s.kubeconfig(), data)
}

// choosePort returns a port that is free right now and remembers it.
func (s *state) choosePort(wanted int) (int, error) {
	file := s.path("port")
	origin := "--port"
	if wanted == 0 {
		data, err := os.ReadFile(file)
		switch {
		case err == nil:
			if wanted, err = strconv.Atoi(strings.TrimSpace(string(data))); err != nil {
				return 0, fmt.Errorf("%s: %w", file, err)
			}
			origin = "remembered in " + file
		case !errors.Is(err, fs.ErrNotExist):
			return 0, err
		}
	}
	if wanted != 0 {
		if err := tryPort(wanted); err != nil {
			return 0, fmt.Errorf("port %d (%s) cannot be used, is it taken by another process? %w", wanted, origin, err)
		}
		return wanted, writeFile(file, []byte(strconv.Itoa(wanted)+"\n"))
	}
	// Not port 0 of the operating system: that hands out ephemeral ports, and
	// any outgoing connection may take such a port before the API server binds
	// it, or before the next start with this directory does.
	const first, count, attempts = 20000, 10000, 100
	var err error
	for range attempts {
		port := first + mathrand.IntN(count)
		if err = tryPort(port); err == nil {
			return port, writeFile(file, []byte(strconv.Itoa(port)+"\n"))
		}
	}
	return 0, fmt.Errorf("no free port found: %w", err)
}

func tryPort(port int) error {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return listener.Close()
}

func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// The kernel drops the lock with the process, so a crash leaves none behind.
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another playout-cluster is using %s", filepath.Dir(path))
	}
	return nil, errors.Join(err, file.Close())
}

func loadOrCreate(path string, create func() ([]byte, error)) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if data, err = create(); err != nil {
		return nil, err
	}
	return data, writeFile(path, data)
}

// writeFile replaces a file in one step, so that a crash leaves either the old
// or the new one. All files are private, for most of them hold secrets.
func writeFile(path string, data []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
