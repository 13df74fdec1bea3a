#!/bin/sh
# Names what a build needs and this machine does not have, before anything is built. Arguments: cargo, go.
set -u
missing=0

lacks() {
    printf 'missing: %s\n' "$1" >&2
    missing=1
}

# older FOUND WANTED: whether the version found is older than the one wanted
older() {
    [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" = "$1" ]
}

for tool in "$@"; do
    case $tool in
    cargo)
        found=$(${CARGO:-cargo} --version 2>/dev/null | cut -d' ' -f2 | cut -d- -f1)
        if [ -z "$found" ]; then
            lacks "Rust 1.94.1 or newer. Get it from https://rustup.rs"
        elif older "$found" 1.94.1; then
            lacks "Rust 1.94.1 or newer; cargo here is $found. Get it with: rustup update stable"
        fi
        command -v "${CC:-cc}" >/dev/null 2>&1 ||
            lacks "a C compiler, for the TLS library. Get it with: apt-get install build-essential (Debian, Ubuntu), dnf install gcc (Fedora), xcode-select --install (macOS)"
        ;;
    go)
        found=$(go env GOVERSION 2>/dev/null | sed -e 's/^go//' -e 's/[^0-9.].*//')
        if [ -z "$found" ]; then
            lacks "Go 1.26 or newer, for the API server. Get it from https://go.dev/dl, or set KUBECONFIG_TEST to the kubeconfig of a cluster that may be used"
        elif older "$found" 1.26; then
            lacks "Go 1.26 or newer, for the API server; go here is $found. Get it from https://go.dev/dl"
        fi
        ;;
    esac
done
exit $missing
