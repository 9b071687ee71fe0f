//go:build linux && amd64

package supervisor

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"softsgx/isa"
	"softsgx/launch"

	"golang.org/x/sys/unix"
)

// provenance is where a run of pages came from. What concerns the file is zero for
// anonymous memory.
type provenance struct {
	origin launch.Origin
	path   string
	digest [sha256.Size]byte // of the whole file
	offset uint64            // of the run in the file
	pages  int
}

// snapshot is a file as it was read once: its digest and that of each page, all from
// the same bytes. A page that matches belongs to the digest, whatever a writer does
// to the file or its mapping meanwhile.
type snapshot struct {
	digest [sha256.Size]byte
	pages  [][sha256.Size]byte
}

// snapshots remembers the files already read. Workers use it too.
type snapshots struct {
	mu    sync.Mutex
	files map[snapshotKey]*snapshot
}

type snapshotKey struct {
	id           inode
	size         int64
	mtime, ctime int64
}

// snapshotLimit is the largest file that is read for its digest.
const snapshotLimit = 4 << 30

var errNotThatFile = errors.New("the path leads to another file by now")

// get reads the file at path, if it is the one mapped.
func (s *snapshots) get(path string, id inode) (*snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, err
	}
	if st.Ino != id.ino || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > snapshotLimit {
		return nil, fmt.Errorf("%s: %w", path, errNotThatFile)
	}
	key := snapshotKey{inode{st.Dev, st.Ino}, st.Size, st.Mtim.Nano(), st.Ctim.Nano()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.files[key]; known != nil {
		return known, nil
	}
	shot, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.files == nil {
		s.files = map[snapshotKey]*snapshot{}
	}
	s.files[key] = shot
	return shot, nil
}

// read takes a snapshot. The last page is filled with zeros, as a mapping shows it.
func read(r io.Reader) (*snapshot, error) {
	whole, shot := sha256.New(), &snapshot{}
	for {
		var page [isa.PageSize]byte
		n, err := io.ReadFull(r, page[:])
		if n > 0 {
			whole.Write(page[:n])
			shot.pages = append(shot.pages, sha256.Sum256(page[:]))
		}
		switch {
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
			whole.Sum(shot.digest[:0])
			return shot, nil
		case err != nil:
			return nil, err
		}
	}
}

// provenance says where content, read from p on, came from, in runs of pages that
// have one answer.
func (c *caller) provenance(p uint64, content []byte) []provenance {
	pages := len(content) / isa.PageSize
	m, ok := c.mapping(p)
	if !ok || !strings.HasPrefix(m.name, "/") || m.id.ino == 0 {
		return []provenance{{origin: launch.FromAnon, pages: pages}}
	}
	shot, err := c.s.snapshots.get(fmt.Sprintf("/proc/%d/root%s", c.tid, m.name), m.id)
	if err != nil {
		return []provenance{{origin: launch.FromAnon, pages: pages}}
	}
	var runs []provenance
	offset := p - m.start + m.offset
	for n := range pages {
		o := shot.origin(offset+uint64(n)*isa.PageSize, content[n*isa.PageSize:][:isa.PageSize])
		if last := len(runs) - 1; last >= 0 && runs[last].origin == o {
			runs[last].pages++
			continue
		}
		runs = append(runs, provenance{o, m.name, shot.digest, offset + uint64(n)*isa.PageSize, 1})
	}
	return runs
}

// origin compares a page with the one at offset of the file.
func (s *snapshot) origin(offset uint64, page []byte) launch.Origin {
	n := offset / isa.PageSize
	if n < uint64(len(s.pages)) && s.pages[n] == sha256.Sum256(page) {
		return launch.FromFile
	}
	return launch.FromModified
}
