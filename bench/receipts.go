package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed hotel-receipt.json
var hotelReceipt []byte

// printedReceipt is the same receipt as a page, for the browser that is the peer.
//
//go:embed hotel-receipt.html
var printedReceipt []byte

// benchReceipts measures e-receipts in a closed loop: each connection posts one, asks
// until it is processed, then posts again. The peer is Chromium, which prints the same
// receipt from a page; its start is part of each print, since that is how it is used.
func benchReceipts(ctx context.Context, s *settings, binary string, t *table) error {
	q, err := startQuittance(ctx, binary, filepath.Join(s.work, "receipts"))
	if err != nil {
		return err
	}
	defer q.stop()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: s.connections}}
	loop := func(duration time.Duration) ([]time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, duration)
		defer cancel()
		var mu sync.Mutex
		var all []time.Duration
		var failure error
		var wg sync.WaitGroup
		for range s.connections {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for ctx.Err() == nil {
					start := time.Now()
					if err := q.processOne(client); err != nil {
						mu.Lock()
						failure = err
						mu.Unlock()
						return
					}
					mu.Lock()
					all = append(all, time.Since(start))
					mu.Unlock()
				}
			}()
		}
		wg.Wait()
		return all, failure
	}
	if _, err := loop(time.Second); err != nil {
		return err
	}
	before, start := q.cpu(), time.Now()
	all, err := loop(s.seconds)
	if err != nil {
		return err
	}
	elapsed, cpu := time.Since(start), q.cpu()-before
	slices.Sort(all)
	at := func(f float64) string { return ms(all[min(len(all)-1, int(f*float64(len(all))))]) }
	perSecond := float64(len(all)) / elapsed.Seconds()
	perCore := 0.0
	if cpu > 0 {
		perCore = float64(len(all)) / cpu.Seconds()
	}
	q.stop()

	peer, perPrint := "Chromium, not to be had", 0.0
	if d, err := printWithChromium(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "chromium:", err)
	} else {
		perPrint = 1 / d.Seconds()
		peer = fmt.Sprintf("Chromium prints it in %s, its start included", ms(d))
	}
	t.add(fmt.Sprintf("e-receipt: check, store, draw; %d connections", s.connections), fmt.Sprintf("%s/s, %s a second of processor", whole(perSecond), whole(perCore)),
		peer, ratio(perSecond, perPrint), "≥ 300 images/s a core")
	t.add("e-receipt: POST to PROCESSED", fmt.Sprintf("p50 %s, p95 %s, p99 %s", at(.5), at(.95), at(.99)), "", "", "p95 ≤ 100 ms")
	return nil
}

// processOne posts a receipt and asks for its status until it is processed.
func (q *quittance) processOne(client *http.Client) error {
	send := func(method, address string, body []byte) (*http.Response, []byte, error) {
		request, err := http.NewRequest(method, address, strings.NewReader(string(body)))
		if err != nil {
			return nil, nil, err
		}
		request.Header.Set("Authorization", "Bearer "+q.ann.Token)
		if body != nil {
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Link", "<http://schema.concursolutions.com/hotel-receipt.schema.json>;rel=describedBy")
		}
		answer, err := client.Do(request)
		if err != nil {
			return nil, nil, err
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		return answer, b, err
	}
	answer, b, err := send("POST", "http://"+q.address+"/receipts/v4/users/"+q.ann.UserID, hotelReceipt)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST receipt: %d %s", answer.StatusCode, b)
	}
	id := answer.Header.Get("Location")
	id = id[strings.LastIndexByte(id, '/')+1:]
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var status struct{ Status string }
		if _, b, err = send("GET", "http://"+q.address+"/receipts/v4/status/"+id, nil); err != nil {
			return err
		}
		if err := json.Unmarshal(b, &status); err != nil {
			return err
		}
		switch {
		case status.Status == "PROCESSED":
			return nil
		case status.Status == "FAILED" || time.Now().After(deadline):
			return fmt.Errorf("receipt %s is %s", id, status.Status)
		}
	}
}

// printWithChromium is the median time of five prints.
func printWithChromium(ctx context.Context, s *settings) (time.Duration, error) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		return 0, fmt.Errorf("it is not installed")
	}
	page := filepath.Join(s.work, "receipt.html")
	if err := os.WriteFile(page, printedReceipt, 0o644); err != nil {
		return 0, err
	}
	var took []time.Duration
	for i := range 5 {
		pdf := filepath.Join(s.work, fmt.Sprintf("printed-%d.pdf", i))
		start := time.Now()
		cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pdf-header-footer",
			"--user-data-dir="+filepath.Join(s.work, "browser"), "--print-to-pdf="+pdf, "file://"+page)
		if err := cmd.Run(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
		if info, err := os.Stat(pdf); err != nil || info.Size() == 0 {
			return 0, fmt.Errorf("it printed nothing")
		}
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
