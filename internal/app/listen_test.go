package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"quittance/internal/app"
	"quittance/internal/app/apptest"
)

// certificate makes a self-signed certificate for a name, as two files.
func certificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLS: the server speaks TLS itself, HTTP/2 in it, and its own health check trusts
// its certificate and no other.
func TestTLS(t *testing.T) {
	cert, key := certificate(t, "spend.example")
	server := apptest.Start(t, func(o *app.Options) { o.TLSCert, o.TLSKey = cert, key })
	if !strings.HasPrefix(server.PublicURL(), "https://") {
		t.Errorf("links begin with %s", server.PublicURL())
	}
	pool := x509.NewCertPool()
	b, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(b)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "spend.example"}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://" + server.Address() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != 200 || answer.ProtoMajor != 2 || string(body) != "ok\n" {
		t.Errorf("%s %d %s", answer.Proto, answer.StatusCode, body)
	}
	must(t, "healthcheck", "--listen", server.Address(), "--tls-cert", cert, "--tls-key", key)
	otherCert, otherKey := certificate(t, "spend.example")
	refused(t, 1, "another certificate", "healthcheck", "--listen", server.Address(), "--tls-cert", otherCert, "--tls-key", otherKey)
	refused(t, 1, "the server answers 400", "healthcheck", "--listen", server.Address())
	refused(t, 1, "the certificate cannot be used", "healthcheck", "--listen", server.Address(), "--tls-cert", key, "--tls-key", key)
	refused(t, 1, "the certificate cannot be used", "dev", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--allow-weak-sandbox", "--tls-cert", key, "--tls-key", key)
}

// TestOperatorsAddress: metrics and the details of readiness are on an address of their
// own in `serve`.
func TestOperatorsAddress(t *testing.T) {
	p := apptest.Program(t, nil, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--public-url", "http://spend.example", "--allow-weak-sandbox")
	m := regexp.MustCompile(`"listening for the operator","address":"([^"]+)"`).FindStringSubmatch(p.Output())
	if m == nil {
		t.Fatal(p.Output())
	}
	if status, body := get(t, "GET", p.URL()+"/oauth2/v0/jwks", ""); status != 200 {
		t.Error(status, body)
	}
	for path, want := range map[string]string{"/metrics": `quittance_calls_total{operation="oauth2.jwks",status="200"} 1`, "/readyz": `"database":"ok"`, "/healthz": "ok"} {
		if status, body := get(t, "GET", "http://"+m[1]+path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.300s", path, status, body)
		}
	}
	if status, _ := get(t, "GET", "http://"+m[1]+"/api/v3.0/expense/reports", ""); status != 404 {
		t.Errorf("calls on the operator's address: %d", status)
	}
}
