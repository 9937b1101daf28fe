// An application with go-kit's sd/eureka, steered by lines on stdin.
//
// Its arguments are its application name, its port at 127.0.0.1, and the service URLs of all nodes
// separated by commas. It registers itself by a Registrar, under a lease of ten seconds that it renews
// every second. `see APP` is answered by the instances that an Endpointer has of that application, as
// a JSON list of strings `host:port`; `stop` as tests/clients/application.rs tells.
package main

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/kit/endpoint"
	"github.com/go-kit/kit/sd"
	"github.com/go-kit/kit/sd/eureka"
	"github.com/go-kit/log"
	"github.com/hudl/fargo"
	"github.com/op/go-logging"

	"rs-registry/tests/clients/lines"
)

// How long an Endpointer shows what it had when it gets nothing but errors.
const keptOnError = 2 * time.Second

type application struct {
	connection  fargo.EurekaConnection
	logger      log.Logger
	registrar   *eureka.Registrar
	endpointers map[string]*sd.DefaultEndpointer
}

func main() {
	logging.SetLevel(logging.WARNING, "fargo")
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		stdlog.Fatal(err)
	}
	a := &application{
		connection:  fargo.NewConn(strings.Split(os.Args[3], ",")...),
		logger:      log.NewLogfmtLogger(log.NewSyncWriter(os.Stderr)),
		endpointers: map[string]*sd.DefaultEndpointer{},
	}
	a.connection.PollInterval = time.Second
	a.registrar = eureka.NewRegistrar(&a.connection, describe(os.Args[1], port), a.logger)
	a.registrar.Register()
	lines.Serve(a.answer)
}

func describe(name string, port int) *fargo.Instance {
	return &fargo.Instance{
		InstanceId:     fmt.Sprintf("127.0.0.1:%d", port),
		HostName:       "127.0.0.1",
		App:            name,
		IPAddr:         "127.0.0.1",
		VipAddress:     name,
		Status:         fargo.UP,
		Port:           port,
		PortEnabled:    true,
		CountryId:      1,
		DataCenterInfo: fargo.DataCenterInfo{Name: fargo.MyOwn},
		LeaseInfo:      fargo.LeaseInfo{RenewalIntervalInSecs: 1, DurationInSecs: 10},
	}
}

func (a *application) answer(command string, names []string) (any, error) {
	switch command {
	case "see":
		return a.see(names[0])
	case "stop":
		a.registrar.Deregister()
		return lines.Stopped, nil
	default:
		return nil, fmt.Errorf("no command %s", command)
	}
}

func (a *application) see(app string) (any, error) {
	endpointer, known := a.endpointers[app]
	if !known {
		instancer := eureka.NewInstancer(&a.connection, app, a.logger)
		endpointer = sd.NewEndpointer(instancer, ownName, a.logger, sd.InvalidateOnError(keptOnError))
		a.endpointers[app] = endpointer
	}
	endpoints, err := endpointer.Endpoints()
	if err != nil {
		return nil, err
	}
	instances := []any{}
	for _, call := range endpoints {
		instance, err := call(context.Background(), nil)
		if err != nil {
			return nil, err
		}
		instances = append(instances, instance)
	}
	return instances, nil
}

// Makes the endpoint of an instance that answers which one it is.
func ownName(instance string) (endpoint.Endpoint, io.Closer, error) {
	return func(context.Context, any) (any, error) { return instance, nil }, nil, nil
}
