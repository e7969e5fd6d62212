// crd-apiserver: upstream's apiextensions-apiserver of a recent release, put
// behind an older kube-apiserver's aggregation layer. It serves
// apiextensions.k8s.io/v1 and every custom resource, and keeps one APIService
// per group and version in the front server, so that clients see one API.
package main

import (
	"context"
	"encoding/base64"
	"flag"
	"os"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	informers "k8s.io/apiextensions-apiserver/pkg/client/informers/externalversions"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	generatedopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/cli"
	"k8s.io/klog/v2"

	"github.com/spf13/cobra"
)

const label = "testbed/crd-apiserver"

var (
	apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
)

type registrar struct {
	front dynamic.Interface
	local clientset.Interface
	port  int64
	ca    string
}

func (r *registrar) desired(group, version string, groupPriority, versionPriority int64, l map[string]interface{}) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]interface{}{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]interface{}{"name": version + "." + group, "labels": l},
		"spec": map[string]interface{}{
			"group": group, "version": version,
			"groupPriorityMinimum": groupPriority, "versionPriority": versionPriority,
			"caBundle": r.ca,
			"service":  map[string]interface{}{"namespace": "kube-system", "name": "crd-apiserver", "port": r.port},
		},
	}}
}

// ensure creates obj, or replaces the spec and the labels of the one that is there.
func (r *registrar) ensure(ctx context.Context, c dynamic.ResourceInterface, obj *unstructured.Unstructured) error {
	_, err := c.Create(ctx, obj, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	cur, err := c.Get(ctx, obj.GetName(), metav1.GetOptions{})
	if err != nil {
		return err
	}
	cur.Object["spec"] = obj.Object["spec"]
	cur.SetLabels(obj.GetLabels())
	_, err = c.Update(ctx, cur, metav1.UpdateOptions{})
	return err
}

// takeOver points the front's apiextensions.k8s.io/v1 here.
func (r *registrar) takeOver(ctx context.Context) error {
	svc := &unstructured.Unstructured{Object: map[string]interface{}{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]interface{}{"name": "crd-apiserver", "namespace": "kube-system"},
		"spec":     map[string]interface{}{"type": "ExternalName", "externalName": "localhost"},
	}}
	if _, err := r.front.Resource(services).Namespace("kube-system").Create(ctx, svc, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return r.ensure(ctx, r.front.Resource(apiServices), r.desired("apiextensions.k8s.io", "v1", 16700, 15, nil))
}

// sync makes the front's APIServices match the established custom resources. Known
// are those the front has; true: with what is wanted now.
func (r *registrar) sync(ctx context.Context, crds []*apiextensionsv1.CustomResourceDefinition, known map[string]bool) error {
	want := map[string]*unstructured.Unstructured{}
	for _, crd := range crds {
		for _, c := range crd.Status.Conditions {
			if c.Type != apiextensionsv1.Established || c.Status != apiextensionsv1.ConditionTrue {
				continue
			}
			for _, v := range crd.Spec.Versions {
				if v.Served {
					o := r.desired(crd.Spec.Group, v.Name, 1000, 100, map[string]interface{}{label: "true"})
					want[o.GetName()] = o
				}
			}
		}
	}
	c := r.front.Resource(apiServices)
	for n, o := range want {
		if !known[n] {
			// The front probes once and then only after 5 s: register no group
			// before this server's own discovery knows it.
			version, group, _ := strings.Cut(n, ".")
			path := "/apis/" + group + "/" + version
			for i := 0; i < 250 && r.local.Discovery().RESTClient().Get().AbsPath(path).Do(ctx).Error() != nil; i++ {
				time.Sleep(20 * time.Millisecond)
			}
			if err := r.ensure(ctx, c, o); err != nil {
				return err
			}
			known[n] = true
		}
	}
	for n := range known {
		if want[n] == nil {
			if err := c.Delete(ctx, n, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			delete(known, n)
		}
	}
	return nil
}

func main() {
	var front, caFile string
	o := options.NewCustomResourceDefinitionsServerOptions(os.Stdout, os.Stderr)
	ctx := genericapiserver.SetupSignalContext()
	cmd := &cobra.Command{
		Use: "crd-apiserver", SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.ServerRunOptions.ComponentGlobalsRegistry.Set() },
		RunE: func(*cobra.Command, []string) error {
			if err := o.Complete(); err != nil {
				return err
			}
			if err := o.Validate(); err != nil {
				return err
			}
			config, err := o.Config()
			if err != nil {
				return err
			}
			// Upstream's command serves OpenAPI v3 only; older front servers merge v2.
			config.GenericConfig.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(
				generatedopenapi.GetOpenAPIDefinitions, openapinamer.NewDefinitionNamer(apiserver.Scheme, scheme.Scheme))
			server, err := config.Complete().New(genericapiserver.NewEmptyDelegate())
			if err != nil {
				return err
			}
			if front != "" {
				rc, err := clientcmd.BuildConfigFromFlags("", front)
				if err != nil {
					return err
				}
				rc.QPS = -1
				dyn, err := dynamic.NewForConfig(rc)
				if err != nil {
					return err
				}
				ca, err := os.ReadFile(caFile)
				if err != nil {
					return err
				}
				r := &registrar{front: dyn, port: int64(o.RecommendedOptions.SecureServing.BindPort), ca: base64.StdEncoding.EncodeToString(ca)}
				r.local, err = clientset.NewForConfig(server.GenericAPIServer.LoopbackClientConfig)
				if err != nil {
					return err
				}
				server.GenericAPIServer.AddPostStartHookOrDie("register-api-services", func(hc genericapiserver.PostStartHookContext) error {
					go r.run(hc)
					return nil
				})
			}
			return server.GenericAPIServer.PrepareRun().RunWithContext(ctx)
		},
	}
	cmd.SetContext(ctx)
	o.AddFlags(cmd.Flags())
	cmd.Flags().AddGoFlagSet(flag.CommandLine)
	cmd.Flags().StringVar(&front, "front-kubeconfig", "", "kubeconfig of the front kube-apiserver to register with")
	cmd.Flags().StringVar(&caFile, "front-ca-bundle", "", "CA that signed this server's certificate")
	os.Exit(cli.Run(cmd))
}

func (r *registrar) run(ctx context.Context) {
	for r.takeOver(ctx) != nil && ctx.Err() == nil {
		time.Sleep(200 * time.Millisecond)
	}
	f := informers.NewSharedInformerFactory(r.local, 0)
	inf := f.Apiextensions().V1().CustomResourceDefinitions()
	wake := make(chan struct{}, 1)
	poke := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	inf.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(interface{}) { poke() },
		UpdateFunc: func(_, _ interface{}) { poke() },
		DeleteFunc: func(interface{}) { poke() },
	})
	f.Start(ctx.Done())
	f.WaitForCacheSync(ctx.Done())
	// Those of an earlier run: to be pointed here, or to go with their definitions.
	known := map[string]bool{}
	for ctx.Err() == nil {
		old, err := r.front.Resource(apiServices).List(ctx, metav1.ListOptions{LabelSelector: label})
		if err == nil {
			for _, o := range old.Items {
				known[o.GetName()] = false
			}
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	poke()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		crds, err := inf.Lister().List(labels.Everything())
		if err == nil {
			err = r.sync(ctx, crds, known)
		}
		if err != nil && ctx.Err() == nil {
			klog.Errorf("registering API services: %v", err)
			time.Sleep(time.Second)
			poke()
		}
	}
}
