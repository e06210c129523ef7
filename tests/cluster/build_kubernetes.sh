#!/bin/sh
# Build the programs of Kubernetes 1.20.2 from Debian's source package. Runs inside the root folder of the builder.
#
# The source package lacks updates of go.mod, so it is built as Go did before modules, in a GOPATH; and it comes without
# pkg/generated/openapi, which the API server needs and its own generator makes.
set -eu
export PATH=/usr/lib/go-1.19/bin:/usr/bin:/bin GO111MODULE=off GOPATH=/build/gopath GOCACHE=/build/cache CGO_ENABLED=0 GOFLAGS=
export HOME=/build TMPDIR=/build
version="-X k8s.io/component-base/version.gitVersion=v1.20.2 -X k8s.io/component-base/version.gitMajor=1
    -X k8s.io/component-base/version.gitMinor=20"
tree=$GOPATH/src/k8s.io/kubernetes
mkdir -p "$GOPATH/src/k8s.io" /build/bin
[ -d "$tree" ] || mv /build/kubernetes-1.20* "$tree"
cd "$tree"

if [ ! -f pkg/generated/openapi/zz_generated.openapi.go ]; then
    go build -p 2 -o /build/openapi-gen ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    vendored=$(cd vendor && grep -rl --include='*.go' '+k8s:openapi-gen=' -R k8s.io | grep -v testdata |
        xargs -n1 dirname | sort -u | sed 's#^#k8s.io/kubernetes/vendor/#')
    own=$(grep -rl --include='*.go' '+k8s:openapi-gen=' pkg cmd | xargs -r -n1 dirname | sort -u |
        sed 's#^#k8s.io/kubernetes/#')
    /build/openapi-gen --logtostderr -i "$(echo $vendored $own | tr ' ' ,)" -p k8s.io/kubernetes/pkg/generated/openapi \
        -O zz_generated.openapi -h hack/boilerplate/boilerplate.generatego.txt -r /build/violations -o "$GOPATH/src"
fi

for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    [ -x /build/bin/$program ] || go build -p 2 -ldflags "-s -w $version" -o /build/bin/ ./cmd/$program
done
gcc -static -Os -o /build/bin/pause /build/pause.c
