#!/bin/sh
# Builds playout-cluster into the directory $1 (default: target/tools of the
# repository), with kubectl as a symlink to it.
set -eu
cd "$(dirname "$0")"
out=${1:-../../target/tools}
export GOTOOLCHAIN=local CGO_ENABLED=0

# Without these, the server and kubectl report v0.0.0-master, which clients reject.
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
major=${version%%.*} minor=${version#*.}
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  flags="$flags -X $package.gitVersion=$version"
  flags="$flags -X $package.gitMajor=${major#v} -X $package.gitMinor=${minor%%.*}"
done

mkdir -p "$out"
go build -trimpath -ldflags "$flags" -o "$out/playout-cluster" .
ln -sf playout-cluster "$out/kubectl"
