// Package blobtest gives tests a real S3 server to keep blobs in.
package blobtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"quittance/internal/kernel/blob"
)

// version of the server that tests run against.
const version = "v1.8.0"

const (
	accessKey = "quittance-test"
	secretKey = "quittance-test-secret"
)

// Server is an S3 server with an empty place in it.
type Server struct {
	Options blob.Options // to open a store there
	Dir     string       // the folder with the bucket's files; empty when the server is not ours
	Stop    func()       // ends the server at once; nil when it is not ours
}

// S3 starts an S3 server (versitygw) for the time of the test, on a loopback port.
// The program is built once into the user's cache folder. QUITTANCE_TEST_S3 may hold
// the s3:// address of a running server instead; then each test gets a prefix of its
// own. Without either the test is skipped with the reason, or fails when CI=true.
func S3(t testing.TB) Server {
	t.Helper()
	if address := os.Getenv("QUITTANCE_TEST_S3"); address != "" {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal("QUITTANCE_TEST_S3: ", err)
		}
		return Server{Options: blob.Options{URL: u.JoinPath("test-" + rand.Text()).String(), Temp: t.TempDir()}}
	}
	program, err := build(t.Context())
	if err != nil {
		unavailable(t, "no S3 server: "+err.Error())
	}
	dir := t.TempDir()
	bucket := filepath.Join(dir, "quittance")
	if err := os.Mkdir(bucket, 0o700); err != nil {
		t.Fatal(err)
	}
	address, stop, err := start(t, program, dir)
	if err != nil {
		unavailable(t, "the S3 server does not start: "+err.Error())
	}
	t.Cleanup(stop)
	return Server{
		Options: blob.Options{
			URL:       "s3://quittance/spend?endpoint=http://" + address,
			AccessKey: accessKey, SecretKey: secretKey, Temp: t.TempDir(),
		},
		Dir:  bucket,
		Stop: stop,
	}
}

func unavailable(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// build gives the path of the server's program.
func build(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "quittance-test", "versitygw-"+version)
	program := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(dir, "build-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "go", "install", "github.com/versity/versitygw/cmd/versitygw@"+version)
	install.Dir = fresh
	install.Env = append(os.Environ(), "GOBIN="+fresh, "GOFLAGS=", "GOOS=", "GOARCH=")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install versitygw@%s: %w: %s", version, err, bytes.TrimSpace(out))
	}
	// Another test may have been quicker; either program will do.
	return program, os.Rename(filepath.Join(fresh, "versitygw"), program)
}

// start runs the server on a free loopback port and waits until it listens. A shell
// stands between: it ends the server when the test process dies, however that was.
func start(t testing.TB, program, dir string) (address string, stop func(), err error) {
	for range 3 { // somebody else may take the port before the server does
		if address, err = freePort(); err != nil {
			return "", nil, err
		}
		var out bytes.Buffer
		server := exec.Command("sh", "-c", `"$0" "$@" & server=$!; read -r _; kill $server; wait $server`,
			program, "--quiet", "--keep-alive", "--port", address, "posix", dir)
		server.Env = []string{"ROOT_ACCESS_KEY=" + accessKey, "ROOT_SECRET_KEY=" + secretKey, "PATH=" + os.Getenv("PATH")}
		server.Stdout, server.Stderr = &out, &out
		var alive io.WriteCloser
		if alive, err = server.StdinPipe(); err != nil {
			return "", nil, err
		}
		if err = server.Start(); err != nil {
			return "", nil, err
		}
		stop = func() {
			if alive.Close() == nil { // else it has been stopped
				server.Wait()
			}
		}
		if listens(t.Context(), address) {
			return address, stop, nil
		}
		stop()
		err = fmt.Errorf("it does not listen: %s", bytes.TrimSpace(out.Bytes()))
	}
	return "", nil, err
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func listens(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-again.C:
		}
	}
}
