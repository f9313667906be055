package blob

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/value"
)

const (
	callTime   = 20 * time.Second       // for one call without a body, with its retries
	stallTime  = 30 * time.Second       // without a byte of a download
	uploadRate = 256 << 10              // bytes a second at the least
	attempts   = 4                      // of one call
	retryPause = 200 * time.Millisecond // after the first attempt to write, then longer
)

// bucket keeps a blob under the key {prefix}/blobs/{company}/{first two digits}/{hash}
// and its trash under {prefix}/trash/…. Its time is the object's LastModified.
//
// Put always writes the whole object, also when it is there: that takes one call and
// renews the time on every server. Touch reads and writes it for the same reason,
// since some servers leave LastModified alone when an object is copied onto itself,
// and a marker beside it would cost each sweep a look-up a blob.
//
// A bucket cannot move; a sweep copies to the trash, reads the time again, and
// deletes. A put between the last two is the one case in which a renewed blob is
// found in the trash only, until the next sweep.
type bucket struct {
	core      minio.Core
	transport *http.Transport
	name      string
	prefix    string // with its slash, or empty
	clock     value.Clock
	spool     *spooler
}

func openS3(ctx context.Context, o Options) (Store, error) {
	b := &bucket{clock: o.Clock, spool: newSpooler(o.Temp)}
	b.spool.unnamed = true
	options, endpoint, err := b.parse(o)
	if err != nil {
		return nil, err
	}
	b.transport = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: stallTime,
		IdleConnTimeout:       time.Minute,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   256,
		DisableCompression:    true, // what came in is what goes out
	}
	options.Transport = b.transport
	if b.core.Client, err = minio.New(endpoint, options); err != nil {
		return nil, errs.New(errs.Invalid, "blobs", "The S3 address of the blobs cannot be used: "+err.Error()+".").Because(err)
	}
	if err := b.Check(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// parse reads Options.URL. Everything that is not understood is refused: a misspelt
// option must not send receipts somewhere else.
func (b *bucket) parse(o Options) (*minio.Options, string, error) {
	bad := func(sentence string) (*minio.Options, string, error) {
		return nil, "", errs.New(errs.Invalid, "blobs", sentence)
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return bad("The address of the blobs must have the form s3://bucket/prefix?endpoint=https://host&region=name.")
	}
	b.name = u.Host
	if b.prefix = strings.Trim(u.Path, "/"); b.prefix != "" {
		b.prefix += "/"
	}
	settings := map[string]string{"region": "us-east-1", "endpoint": "https://s3.amazonaws.com", "access_key": o.AccessKey, "secret_key": o.SecretKey}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return bad("The address of the blobs has options that cannot be read.")
	}
	for name, values := range query {
		if _, known := settings[name]; !known || len(values) != 1 {
			return bad("The address of the blobs takes each of endpoint, region, access_key and secret_key once; it has " + name + ".")
		}
		settings[name] = values[0]
	}
	endpoint, err := url.Parse(settings["endpoint"])
	if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" || strings.Trim(endpoint.Path, "/") != "" {
		return bad("The endpoint of the blobs must have the form https://host:port.")
	}
	if (settings["access_key"] == "") != (settings["secret_key"] == "") {
		return bad("The blobs need an access key and its secret key, or neither of them.")
	}
	options := &minio.Options{Secure: endpoint.Scheme == "https", Region: settings["region"], MaxRetries: attempts}
	if settings["access_key"] != "" {
		options.Creds = credentials.NewStaticV4(settings["access_key"], settings["secret_key"], "")
	} else {
		options.Creds = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
		})
	}
	return options, endpoint.Host, nil
}

func (b *bucket) object(a area, k key) string {
	return b.prefix + string(a) + "/" + k.company + "/" + k.fan() + "/" + k.hash
}

func (b *bucket) Put(ctx context.Context, company string, r io.Reader, limit int64) (Ref, error) {
	if !isCompany(company) {
		return Ref{}, badCompany(company)
	}
	s, err := b.spool.read(ctx, r, limit)
	if err != nil {
		return Ref{}, err
	}
	defer s.discard()
	if err := b.write(ctx, key{company, s.Hash}, s); err != nil {
		return Ref{}, err
	}
	return s.Ref, nil
}

// write puts an object. The request is signed over the blob's hash, so that the
// server refuses bytes that were damaged on the way. It is tried again here and not
// by the client, which would rewind a reader that the failed request may still read.
func (b *bucket) write(ctx context.Context, k key, s *spool) error {
	within, cancel := context.WithTimeout(ctx, callTime+time.Duration(s.Size/uploadRate)*time.Second)
	defer cancel()
	for attempt := 1; ; attempt++ {
		_, err := b.core.PutObject(within, b.name, b.object(live, k), onlyReader{s.content()}, s.Size, "", k.hash,
			minio.PutObjectOptions{ContentType: "application/octet-stream", DisableContentSha256: true})
		if err == nil {
			return nil
		}
		s.keep = true
		err = s3Error(ctx, err)
		if attempt == attempts || errs.As(err).Code != "storageDown" {
			return err
		}
		pause := time.NewTimer(time.Duration(attempt) * retryPause)
		select {
		case <-pause.C:
		case <-within.Done():
			pause.Stop()
			return err
		}
	}
}

// onlyReader hides Seek, which tells the client not to try again by itself.
type onlyReader struct{ io.Reader }

func (b *bucket) Open(ctx context.Context, company, hash string) (io.ReadSeekCloser, int64, error) {
	k, err := parseKey(company, hash)
	if err != nil {
		return nil, 0, err
	}
	d := &download{ctx: ctx, bucket: b}
	err = b.find(k, func(object string) error {
		d.object = object
		return d.start(0)
	})
	if err != nil {
		return nil, 0, err
	}
	return d, d.size, nil
}

// find looks in the place, in the trash, and in the place again, as disk does.
func (b *bucket) find(k key, look func(object string) error) error {
	var err error
	for _, a := range [...]area{live, trash, live} {
		if err = look(b.object(a, k)); err == nil || !errs.Is(err, errs.NotFound) {
			break
		}
	}
	return err
}

func (b *bucket) Stat(ctx context.Context, company, hash string) (Info, error) {
	k, err := parseKey(company, hash)
	if err != nil {
		return Info{}, err
	}
	var info Info
	err = b.find(k, func(object string) error { info, err = b.stat(ctx, object); return err })
	return info, err
}

func (b *bucket) stat(ctx context.Context, object string) (Info, error) {
	within, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	o, err := b.core.StatObject(within, b.name, object, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s3Error(ctx, err)
	}
	return Info{Ref{path.Base(object), o.Size}, value.InstantOf(o.LastModified)}, nil
}

func (b *bucket) Touch(ctx context.Context, company, hash string) error {
	k, err := parseKey(company, hash)
	if err != nil {
		return err
	}
	content, size, err := b.Open(ctx, company, hash)
	if err != nil {
		return err
	}
	defer content.Close()
	s, err := b.spool.read(ctx, content, size)
	if err != nil {
		return err
	}
	defer s.discard()
	if s.Hash != k.hash {
		return errs.New(errs.Internal, "storageDamaged", "A stored file is damaged. Quote the correlation id when you ask about it.")
	}
	return b.write(ctx, k, s)
}

func (b *bucket) Delete(ctx context.Context, company, hash string) error {
	k, err := parseKey(company, hash)
	if err != nil {
		return nil
	}
	for _, a := range [...]area{live, trash} {
		if err := b.remove(ctx, b.object(a, k)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bucket) remove(ctx context.Context, object string) error {
	within, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := s3Error(ctx, b.core.RemoveObject(within, b.name, object, minio.RemoveObjectOptions{}))
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

func (b *bucket) copy(ctx context.Context, from, to string) error {
	within, cancel := context.WithTimeout(ctx, 3*callTime)
	defer cancel()
	_, err := b.core.Client.CopyObject(within, minio.CopyDestOptions{Bucket: b.name, Object: to}, minio.CopySrcOptions{Bucket: b.name, Object: from})
	return s3Error(ctx, err)
}

func (b *bucket) Walk(ctx context.Context, fn func(company string, b Info) error) error {
	return b.walk(ctx, live, fn)
}

func (b *bucket) Sweep(ctx context.Context, olderThan time.Duration, inUse InUse) (int, error) {
	return sweep(ctx, b, b.clock().Add(-olderThan).Time(), inUse)
}

func (b *bucket) EmptyTrash(ctx context.Context, olderThan time.Duration, inUse InUse) (int, error) {
	return emptyTrash(ctx, b, b.clock().Add(-olderThan).Time(), inUse)
}

// Check asks for the bucket.
func (b *bucket) Check(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, callTime/2)
	defer cancel()
	there, err := b.core.BucketExists(within, b.name)
	if err == nil && !there {
		return errs.Newf(errs.Unavailable, "storageMissing", "The bucket %s for the blobs does not exist.", b.name)
	}
	return s3Error(ctx, err)
}

func (b *bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

func (b *bucket) walk(ctx context.Context, a area, fn func(company string, b Info) error) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	stall := time.AfterFunc(3*callTime, cancel)
	defer stall.Stop()
	prefix := b.prefix + string(a) + "/"
	for o := range b.core.ListObjectsIter(within, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		stall.Stop() // what fn does has deadlines of its own
		if o.Err != nil {
			return s3Error(ctx, o.Err)
		}
		part := strings.Split(strings.TrimPrefix(o.Key, prefix), "/")
		if len(part) == 3 && isCompany(part[0]) && isHash(part[2]) && part[1] == part[2][:2] {
			if err := fn(part[0], Info{Ref{part[2], o.Size}, value.InstantOf(o.LastModified)}); err != nil {
				return err
			}
		}
		stall.Reset(3 * callTime)
	}
	return s3Error(ctx, within.Err())
}

func (b *bucket) discard(ctx context.Context, k key, cutoff time.Time) (bool, error) {
	// A server that was asleep between the look and the delete must not delete.
	ctx, cancel := context.WithTimeout(ctx, 4*callTime)
	defer cancel()
	err := b.copy(ctx, b.object(live, k), b.object(trash, k))
	if err == nil {
		var now Info
		if now, err = b.stat(ctx, b.object(live, k)); err == nil {
			if now.Renewed.Time().After(cutoff) {
				return false, nil // the copy goes when the trash is emptied
			}
			return true, b.remove(ctx, b.object(live, k))
		}
	}
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return false, err
}

func (b *bucket) restore(ctx context.Context, k key) error {
	if err := b.copy(ctx, b.object(trash, k), b.object(live, k)); err != nil {
		return err
	}
	return b.remove(ctx, b.object(trash, k))
}

func (b *bucket) destroy(ctx context.Context, k key) error {
	return b.remove(ctx, b.object(trash, k))
}

// download reads an object from any offset with ranged requests. The first request
// is made by Open and gets the whole object, which is what most readers want. A
// connection that breaks is taken up again where it broke.
type download struct {
	ctx    context.Context
	bucket *bucket
	object string
	size   int64
	offset int64 // of the next Read
	body   io.ReadCloser
	at     int64 // the body's next byte
	cancel context.CancelFunc
	stall  *time.Timer
	broken int // connections, since the last byte
}

// start asks for the object from an offset to its end.
func (d *download) start(offset int64) error {
	d.stop()
	var options minio.GetObjectOptions
	if offset > 0 {
		if err := options.SetRange(offset, 0); err != nil {
			return s3Error(d.ctx, err)
		}
	}
	within, cancel := context.WithCancel(d.ctx)
	stall := time.AfterFunc(stallTime, cancel)
	body, info, _, err := d.bucket.core.GetObject(within, d.bucket.name, d.object, options)
	if err != nil {
		stall.Stop()
		cancel()
		return s3Error(d.ctx, err)
	}
	if offset == 0 {
		d.size = info.Size
	}
	d.body, d.at, d.cancel, d.stall = body, offset, cancel, stall
	return nil
}

func (d *download) stop() {
	if d.body != nil {
		d.stall.Stop()
		d.cancel()
		d.body.Close()
		d.body = nil
	}
}

func (d *download) Read(p []byte) (int, error) {
	for {
		if d.offset >= d.size {
			return 0, io.EOF
		}
		if len(p) == 0 {
			return 0, nil
		}
		if d.body == nil || d.at != d.offset {
			if err := d.start(d.offset); err != nil {
				return 0, err
			}
		}
		d.stall.Reset(stallTime)
		n, err := d.body.Read(p)
		d.stall.Stop()
		d.offset += int64(n)
		d.at = d.offset
		if n > 0 {
			d.broken = 0
			return n, nil // an error comes again with the next Read
		}
		if err == nil {
			return 0, nil
		}
		d.stop()
		if d.broken++; d.broken == attempts || d.ctx.Err() != nil {
			return 0, s3Error(d.ctx, err)
		}
	}
}

func (d *download) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += d.offset
	case io.SeekEnd:
		offset += d.size
	}
	if offset < 0 {
		return 0, errors.New("blob: seek before the start")
	}
	d.offset = offset
	return offset, nil
}

func (d *download) Close() error {
	d.stop()
	return nil
}

// s3Error says what a failure of the server, or of the way to it, means for the caller.
func s3Error(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return err
	}
	response := minio.ToErrorResponse(err)
	switch {
	case response.Code == minio.NoSuchKey:
		return notFound().Because(err)
	case ctx.Err() != nil:
		return cancelled(ctx.Err())
	case response.StatusCode == 0 || response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusRequestTimeout:
		return errs.New(errs.Unavailable, "storageDown", "The server cannot reach its file storage. Try again in a minute.").Because(err)
	case response.StatusCode == http.StatusForbidden || response.StatusCode == http.StatusUnauthorized || response.Code == minio.NoSuchBucket:
		return errs.New(errs.Unavailable, "storageRefused",
			"The server's file storage refuses it. Its operator has to set the bucket and its keys right.").Because(err)
	}
	return errs.New(errs.Internal, "storage", "The server could not read or write its files. Quote the correlation id when you ask about it.").Because(err)
}
