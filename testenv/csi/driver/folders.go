package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"time"
)

// What is known of a volume or a snapshot.
type record struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Bytes   int64     `json:"bytes"`
	Created time.Time `json:"created"`
	// Of a snapshot: its volume, when it can be used, and its group.
	Volume string    `json:"volume,omitempty"`
	Ready  time.Time `json:"ready,omitzero"`
	Group  string    `json:"group,omitempty"`
	// Of a volume: the snapshot that it was made from.
	Snapshot string `json:"snapshot,omitempty"`
}

const (
	volumes   = "volumes"
	snapshots = "snapshots"
)

// How the driver shall behave, as a test has written it.
type behaviour struct {
	// How long a snapshot takes to be cut, and then until it can be used.
	CutMillis   int `json:"cutMillis"`
	ReadyMillis int `json:"readyMillis"`
	// Snapshots that are cut at the same time; 0 for any number.
	AtOnce int `json:"atOnce"`
	// gRPC code and message that snapshots are refused with.
	RefuseCode    uint32 `json:"refuseCode"`
	RefuseMessage string `json:"refuseMessage"`
}

// The same name gets the same id: making a thing twice makes one.
func idOf(name string) string {
	digest := sha256.Sum256([]byte(name))
	return hex.EncodeToString(digest[:8])
}

func (c *controller) folder(kind, id string) string {
	return filepath.Join(c.state, kind, filepath.Base(id))
}

func (c *controller) read(kind, id string) (*record, error) {
	text, err := os.ReadFile(filepath.Join(c.folder(kind, id), "record.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := &record{}
	return found, json.Unmarshal(text, found)
}

// Makes the folder with a copy of `data`, if any, and at the end its record: one
// without is not there.
func (c *controller) write(kind string, made *record, data string) error {
	folder := c.folder(kind, made.ID)
	if err := os.MkdirAll(filepath.Join(folder, "data"), 0o700); err != nil {
		return err
	}
	if data != "" {
		copied := exec.Command("cp", "-a", "--reflink=auto", data+"/.", filepath.Join(folder, "data"))
		if said, err := copied.CombinedOutput(); err != nil {
			return errors.New(string(said))
		}
	}
	text, err := json.Marshal(made)
	if err != nil {
		return err
	}
	unfinished := filepath.Join(folder, "record.json.new")
	if err := os.WriteFile(unfinished, text, 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(folder, "record.json"))
}

func (c *controller) remove(kind, id string) error {
	return os.RemoveAll(c.folder(kind, id))
}

// All of a kind, by id.
func (c *controller) all(kind string) ([]*record, error) {
	entries, err := os.ReadDir(filepath.Join(c.state, kind))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []*record
	for _, entry := range entries {
		one, err := c.read(kind, entry.Name())
		if err != nil {
			return nil, err
		}
		if one != nil {
			found = append(found, one)
		}
	}
	sort.Slice(found, func(a, b int) bool { return found[a].ID < found[b].ID })
	return found, nil
}

// What is said of the volume, else of all.
func (c *controller) behaviour(volume string) (behaviour, error) {
	var wanted behaviour
	for _, folder := range []string{c.folder(volumes, volume), c.state} {
		text, err := os.ReadFile(filepath.Join(folder, "behaviour.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return wanted, err
		}
		return wanted, json.Unmarshal(text, &wanted)
	}
	return wanted, nil
}
