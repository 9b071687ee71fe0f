package launch

import (
	"bytes"
	"io/fs"
	"time"
)

// oneFile is a file system with a single file.
type oneFile struct {
	name string
	text []byte
}

// Open implements fs.FS.
func (o oneFile) Open(name string) (fs.File, error) {
	if name != o.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openText{oneFile: o, Reader: bytes.NewReader(o.text)}, nil
}

// openText is the file, open.
type openText struct {
	oneFile
	*bytes.Reader
}

func (o *openText) Stat() (fs.FileInfo, error) { return o, nil }
func (o *openText) Close() error               { return nil }
func (o *openText) Name() string               { return o.name }
func (o *openText) Size() int64                { return int64(len(o.text)) }
func (o *openText) Mode() fs.FileMode          { return 0o400 }
func (o *openText) ModTime() time.Time         { return time.Time{} }
func (o *openText) IsDir() bool                { return false }
func (o *openText) Sys() any                   { return nil }
