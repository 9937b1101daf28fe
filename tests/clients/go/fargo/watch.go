package main

import (
	"log"
	"sync"

	"github.com/hudl/fargo"
)

// An application's instances as the library's own polling has seen them last.
type watch struct {
	lock      sync.Mutex
	instances []*fargo.Instance
}

func (a *application) watched(app string) []*fargo.Instance {
	w, known := a.watches[app]
	if !known {
		w = &watch{}
		a.watches[app] = w
		updates := a.connection.ScheduleAppUpdates(app, true, a.stopped)
		w.take(<-updates)
		go func() {
			for update := range updates {
				w.take(update)
			}
		}()
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.instances
}

func (w *watch) take(update fargo.AppUpdate) {
	w.lock.Lock()
	defer w.lock.Unlock()
	switch update.Err.(type) {
	case nil:
		w.instances = update.App.Instances
	case fargo.AppNotFoundError:
		w.instances = nil
	default:
		// One node that does not answer says nothing about the instances.
		log.Print(update.Err)
	}
}
