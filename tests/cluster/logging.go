package main

import (
	"bytes"
	"io"
	"os"
	"sync"

	"github.com/go-logr/logr"
	logsapi "k8s.io/component-base/logs/api/v1"
	"k8s.io/klog/v2/textlogger"
)

// quietFormat is the name of a log format of our own: Kubernetes' text format
// without the informational messages. Kubernetes has no flag for that: --v=0
// still prints hundreds of lines a start.
const quietFormat = "quiet"

func init() {
	// Here because formats can only be registered before any flags are.
	if err := logsapi.RegisterLogFormat(quietFormat, quietFactory{}, logsapi.LoggingStableOptions); err != nil {
		progress("%v", err) // then the API server refuses the format
	}
}

type quietFactory struct{}

func (quietFactory) Create(logsapi.LoggingConfiguration, logsapi.LoggingOptions) (logr.Logger, logsapi.RuntimeControl) {
	return textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(serverLog))), logsapi.RuntimeControl{}
}

// serverLog is where the logs of the API server and the controllers go.
var serverLog = &quietLog{out: os.Stderr, starting: true}

// grpcChannel marks the messages of gRPC about connections to etcd. Each new
// CRD gives a warning, since the API server opens a connection to probe etcd
// and closes it at once. If etcd is really gone, the API server says so itself.
var grpcChannel = []byte("[core] [Channel #")

// quietLog drops informational messages. It holds back the others during the
// start: each healthy start logs a hundred of them (API versions without
// resources, connections closed after a probe, namespaces that are still being
// created), and they are of interest only when the start fails.
type quietLog struct {
	mu       sync.Mutex
	out      io.Writer
	starting bool
	held     bytes.Buffer
}

// Write takes one whole message, whose first byte tells its severity: I, W, E or F.
func (l *quietLog) Write(message []byte) (int, error) {
	if len(message) == 0 || message[0] == 'I' || bytes.Contains(message, grpcChannel) {
		return len(message), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.starting {
		return l.out.Write(message)
	}
	l.held.Write(message)
	if message[0] == 'F' { // the process is about to exit
		_, err := l.held.WriteTo(l.out)
		return len(message), err
	}
	return len(message), nil
}

// started ends the holding back, and prints what was held if the start failed.
// Later calls do nothing.
func (l *quietLog) started(ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.starting && !ok {
		_, _ = l.held.WriteTo(l.out)
	}
	l.starting = false
	l.held = bytes.Buffer{}
}
