// An application with fargo, steered by lines on stdin as tests/clients/application.rs tells.
//
// Its own argument comes before the others: `xml` or `json`, for what it sends and reads.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hudl/fargo"
	"github.com/op/go-logging"

	"rs-registry/tests/clients/lines"
)

// Each call of the library takes one of the URLs at random; with one node dead it practically never
// takes that one so often.
const attempts = 30

type application struct {
	connection fargo.EurekaConnection
	watches    map[string]*watch
	stopped    chan struct{}

	// The instance is written by what the library reads back.
	own      sync.Mutex
	describe func() *fargo.Instance
	instance *fargo.Instance
	metadata map[string]string
}

func main() {
	logging.SetLevel(logging.WARNING, "fargo")
	format, name, id, vip, urls := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	a := &application{
		connection: fargo.NewConn(serviceUrls(urls)...),
		watches:    map[string]*watch{},
		stopped:    make(chan struct{}),
		describe:   func() *fargo.Instance { return describe(name, id, vip) },
	}
	a.connection.UseJson = format == "json"
	a.connection.PollInterval = time.Second
	if err := json.Unmarshal([]byte(os.Args[6]), &a.metadata); err != nil {
		log.Fatal(err)
	}
	if err := a.register(); err != nil {
		log.Fatal(err)
	}
	go a.keepRenewing()
	lines.Serve(a.answer)
}

// The library puts a slash of its own behind a URL.
func serviceUrls(urls string) []string {
	all := strings.Split(urls, ",")
	for at, url := range all {
		all[at] = strings.TrimSuffix(url, "/")
	}
	return all
}

func describe(name, id, vip string) *fargo.Instance {
	return &fargo.Instance{
		InstanceId:       id,
		HostName:         "127.0.0.1",
		App:              name,
		IPAddr:           "127.0.0.1",
		VipAddress:       vip,
		SecureVipAddress: vip + "-secure",
		Status:           fargo.UP,
		Port:             8080,
		PortEnabled:      true,
		CountryId:        1,
		DataCenterInfo:   fargo.DataCenterInfo{Name: fargo.MyOwn},
		LeaseInfo: fargo.LeaseInfo{
			RenewalIntervalInSecs: int32(secs("RENEWAL_SECS", 1)),
			DurationInSecs:        int32(secs("LEASE_SECS", 4)),
		},
	}
}

// A time that the environment may set.
func secs(name string, otherwise int) int {
	set, isSet := os.LookupEnv(name)
	if !isSet {
		return otherwise
	}
	value, err := strconv.Atoi(set)
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	return value
}

// Makes a call again, which the library leaves to its caller, until a node answers it.
func (a *application) atAnyNode(call func() error) error {
	var err error
	for range attempts {
		err = call()
		if status, answered := fargo.HTTPResponseStatusCode(err); err == nil || answered && status < 500 {
			return err
		}
	}
	return err
}

// The library writes metadata keys into XML as they are, which only some can be. So in XML they are
// added afterwards, one by one.
func (a *application) register() error {
	a.own.Lock()
	defer a.own.Unlock()
	a.instance = a.describe()
	if a.connection.UseJson {
		for key, value := range a.metadata {
			a.instance.SetMetadataString(key, value)
		}
		return a.atAnyNode(func() error { return a.connection.RegisterInstance(a.instance) })
	}
	if err := a.atAnyNode(func() error { return a.connection.RegisterInstance(a.instance) }); err != nil {
		return err
	}
	for key, value := range a.metadata {
		err := a.atAnyNode(func() error { return a.connection.AddMetadataString(a.instance, key, value) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *application) keepRenewing() {
	ticker := time.NewTicker(time.Duration(secs("RENEWAL_SECS", 1)) * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := a.renew(); err != nil {
				log.Print(err)
			}
		case <-a.stopped:
			return
		}
	}
}

func (a *application) renew() error {
	a.own.Lock()
	err := a.atAnyNode(func() error { return a.connection.HeartBeatInstance(a.instance) })
	a.own.Unlock()
	if status, _ := fargo.HTTPResponseStatusCode(err); status == 404 {
		return a.register()
	}
	return err
}

func (a *application) answer(command string, names []string) (any, error) {
	switch command {
	case "see":
		return upIds(a.watched(names[0])), nil
	case "metadata":
		return a.shownMetadata(names[0], names[1])
	case "read":
		return a.read(names[0], names[1:])
	case "status":
		a.own.Lock()
		defer a.own.Unlock()
		return lines.Word("done"), a.connection.UpdateInstanceStatus(a.instance, fargo.StatusType(names[0]))
	case "stop":
		return lines.Stopped, a.stop()
	default:
		return nil, fmt.Errorf("no command %s", command)
	}
}

func (a *application) shownMetadata(app, id string) (any, error) {
	for _, instance := range a.watched(app) {
		if instance.Id() == id {
			return instance.Metadata.GetMap(), nil
		}
	}
	return nil, fmt.Errorf("%s is not among the instances of %s", id, app)
}

func (a *application) read(what string, names []string) (any, error) {
	switch what {
	case "all":
		apps, err := a.connection.GetApps()
		all := []string{}
		for _, app := range apps {
			all = append(all, ids(app.Instances)...)
		}
		return all, err
	case "app":
		app, err := a.connection.GetApp(names[0])
		if err != nil {
			return nil, err
		}
		return ids(app.Instances), nil
	case "instance":
		instance, err := a.connection.GetInstance(names[0], names[1])
		if err != nil {
			return nil, err
		}
		return ids([]*fargo.Instance{instance}), nil
	case "vip", "svip":
		instances, err := a.connection.GetInstancesByVIPAddress(names[0], what == "svip")
		return ids(instances), err
	default:
		return nil, fmt.Errorf("no call to read %s", what)
	}
}

func (a *application) stop() error {
	close(a.stopped)
	a.own.Lock()
	defer a.own.Unlock()
	err := a.atAnyNode(func() error { return a.connection.DeregisterInstance(a.instance) })
	if status, _ := fargo.HTTPResponseStatusCode(err); status == 404 {
		// An attempt before, which failed, has ended the lease all the same.
		return nil
	}
	return err
}

func ids(instances []*fargo.Instance) []string {
	all := []string{}
	for _, instance := range instances {
		all = append(all, instance.Id())
	}
	return all
}

func upIds(instances []*fargo.Instance) []string {
	up := []*fargo.Instance{}
	for _, instance := range instances {
		if instance.Status == fargo.UP {
			up = append(up, instance)
		}
	}
	return ids(up)
}
