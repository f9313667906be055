package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// load is one measurement: every connection sends its requests one after the other,
// so that there are never more calls under way than connections. The generator
// shares the machine with the server, so it does little: requests are prepared
// bytes, of answers only the status and the length are read.
type load struct {
	server      *process
	connections int
	duration    time.Duration
	// request writes the n-th request of a connection.
	request func(dst []byte, connection, n int) []byte
	want    int // status
}

type result struct {
	perSecond     float64
	calls         int
	bytes         int64
	p50, p95, p99 time.Duration
	cpu           time.Duration // of the server, for each call
	failed        int
	failure       string // the first other status, with its body
}

func (l load) run(ctx context.Context) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	type part struct {
		took    []time.Duration
		bytes   int64
		failed  int
		failure string
		err     error
	}
	parts := make([]part, l.connections)
	var wg sync.WaitGroup
	used := l.server.cpu()
	start := time.Now()
	for i := range parts {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p := &parts[i]
			conn, err := net.DialTimeout("tcp", l.server.address, 5*time.Second)
			if err != nil {
				p.err = err
				return
			}
			defer conn.Close()
			r := bufio.NewReaderSize(conn, 64<<10)
			var out []byte
			for n := 0; ctx.Err() == nil; n++ {
				out = l.request(out[:0], i, n)
				began := time.Now()
				_ = conn.SetDeadline(began.Add(30 * time.Second))
				if _, err := conn.Write(out); err != nil {
					p.err = err
					return
				}
				status, size, body, err := readAnswer(r, l.want)
				if err != nil {
					p.err = err
					return
				}
				p.took = append(p.took, time.Since(began))
				p.bytes += size
				if status != l.want {
					if p.failed++; p.failure == "" {
						p.failure = fmt.Sprintf("%d %s", status, body)
					}
				}
			}
		}()
	}
	wg.Wait()
	elapsed, used := time.Since(start), l.server.cpu()-used
	var res result
	var all []time.Duration
	for _, p := range parts {
		if p.err != nil {
			return res, p.err
		}
		all = append(all, p.took...)
		res.bytes += p.bytes
		res.failed += p.failed
		if res.failure == "" {
			res.failure = p.failure
		}
	}
	if len(all) == 0 {
		return res, fmt.Errorf("no answer in %s", l.duration)
	}
	if res.failed > 0 {
		return res, fmt.Errorf("%d of %d calls failed, the first with %s", res.failed, len(all), res.failure)
	}
	slices.Sort(all)
	res.cpu = used / time.Duration(len(all))
	at := func(q float64) time.Duration { return all[min(len(all)-1, int(q*float64(len(all))))] }
	res.calls, res.perSecond = len(all), float64(len(all))/elapsed.Seconds()
	res.p50, res.p95, res.p99 = at(.5), at(.95), at(.99)
	return res, nil
}

// text is the rate and what each call costs the server, which other work on the
// machine hardly changes.
func (r result) text() string {
	return fmt.Sprintf("%s/s, %d µs CPU", whole(r.perSecond), r.cpu.Microseconds())
}

// readAnswer reads one HTTP/1.1 answer; the body is kept only of an unwanted status.
func readAnswer(r *bufio.Reader, want int) (status int, size int64, body []byte, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, 0, nil, err
	}
	if len(line) < 12 {
		return 0, 0, nil, fmt.Errorf("no status line: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, nil, err
	}
	length, chunked := int64(0), false
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, v, ok := bytes.Cut(line, []byte(":")); ok {
			switch {
			case bytes.EqualFold(name, []byte("Content-Length")):
				if length, err = strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64); err != nil {
					return 0, 0, nil, err
				}
			case bytes.EqualFold(name, []byte("Transfer-Encoding")):
				chunked = true
			}
		}
	}
	if chunked {
		for {
			if line, err = r.ReadSlice('\n'); err != nil {
				return 0, 0, nil, err
			}
			n, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 64)
			if err != nil {
				return 0, 0, nil, err
			}
			if _, err := r.Discard(int(n) + 2); err != nil {
				return 0, 0, nil, err
			}
			size += n
			if n == 0 {
				return status, size, nil, nil
			}
		}
	}
	if status != want {
		body = make([]byte, min(length, 2000))
		if _, err := io.ReadFull(r, body); err != nil {
			return 0, 0, nil, err
		}
		length -= int64(len(body))
	}
	_, err = r.Discard(int(length))
	return status, length, body, err
}

// requestBytes prepares a request.
func requestBytes(method, path, host, token, media string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n", method, path, host)
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	if media != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", media, len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}
