package main

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
)

const (
	workers = 5
	// resourceSyncPeriod is how often the garbage collector looks for new kinds
	// of objects, and how long it then waits for the first list of them. It is the one thing that differs from kube-controller-manager,
	// which has 30 s hard-wired: there, objects of a CRD that a test has just
	// installed are not collected for half a minute. This is why the controllers
	// are started one by one and not by its command.
	resourceSyncPeriod = 2 * time.Second
	// kube-controller-manager's value, as a safety net; watches do the work.
	namespaceResyncPeriod = 5 * time.Minute
)

// startControllers runs upstream's controllers until ctx ends. It returns when
// they have seen all there is, or with an error when startCtx ends before.
func startControllers(ctx, startCtx context.Context, s *state) error {
	config := s.controllerConfig()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	logger := klog.FromContext(ctx)
	typed := informers.NewSharedInformerFactory(client, 0)
	all := informerfactory.NewInformerFactory(typed, metadatainformer.NewSharedInformerFactory(metadataClient, 0))
	informersStarted := make(chan struct{})

	collector, err := garbagecollector.NewGarbageCollector(ctx, client, metadataClient,
		restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery())),
		garbagecollector.DefaultIgnoredResources(), all, informersStarted)
	if err != nil {
		return err
	}
	namespaces := namespace.NewNamespaceController(ctx, client, metadataClient,
		client.Discovery().ServerPreferredNamespacedResources,
		typed.Core().V1().Namespaces(), namespaceResyncPeriod, corev1.FinalizerKubernetes)
	serviceAccounts, err := serviceaccount.NewServiceAccountsController(logger,
		typed.Core().V1().ServiceAccounts(), typed.Core().V1().Namespaces(),
		client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}
	clusterRoles := clusterroleaggregation.NewClusterRoleAggregation(typed.Rbac().V1().ClusterRoles(), client.RbacV1())

	go collector.Run(ctx, workers, startTimeout)
	go collector.Sync(ctx, client.Discovery(), resourceSyncPeriod)
	go namespaces.Run(ctx, workers)
	go serviceAccounts.Run(ctx, workers)
	go clusterRoles.Run(ctx, workers)
	all.Start(ctx.Done())
	close(informersStarted)

	return poll(startCtx, func(ctx context.Context) error {
		if !collector.IsSynced(logger) {
			return errors.New("the garbage collector has not seen all objects yet")
		}
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}
