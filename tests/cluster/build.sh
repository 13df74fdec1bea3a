#!/bin/sh
# Builds playout-cluster into the directory $1 (default: target/tools of the
# repository), with kubectl as a symlink to it. The build is kept outside the
# checkout, by the hash of all that goes into it, so that other checkouts, and
# this one after `cargo clean`, take it as it is. PLAYOUT_CACHE says where.
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

cache=${PLAYOUT_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/playout}
mkdir -p "$out"
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=$out
hash=$({ go env GOVERSION GOOS GOARCH && cat ./*.go go.mod go.sum build.sh; } |
  { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16)
kept=$cache/cluster-$hash

# Two checkouts may build it at the same time, and one may run it.
if [ ! -x "$kept" ]; then
  go build -trimpath -ldflags "$flags" -o "$kept.$$" .
  mv "$kept.$$" "$kept"
fi
touch "$kept"
cp "$kept" "$out/playout-cluster.$$"
mv "$out/playout-cluster.$$" "$out/playout-cluster"
ln -sf playout-cluster "$out/kubectl"
# What no checkout has asked for since a month.
find "$cache" -maxdepth 1 -name 'cluster-*' -mtime +30 -delete
