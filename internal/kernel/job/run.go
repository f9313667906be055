package job

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"quittance/internal/kernel/errs"
	"quittance/internal/kernel/store"
	"quittance/internal/kernel/value"
)

// maxPause bounds the pause between two attempts.
const maxPause = time.Hour

// settleTime bounds one try to note the end of a job.
const settleTime = 30 * time.Second

// settlePause is the wait between such tries while the database is away.
const settlePause = time.Second

// errLost ends a transaction of somebody whose claim is no longer the job's: its
// lease ran out, or the database was put back. Nothing of the attempt counts.
var errLost = errors.New("job: the claim is lost")

// Permanent marks an error that another attempt would not mend.
func Permanent(err error) error { return permanent{err} }

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

const insertJob = `INSERT INTO job (id, kind, key, payload, company_id, attempts, revision, run_at, claimed_by, claimed_until, created_at, last_error)
	VALUES (?, ?, ?, ?, ?, 0, 0, ?, '', 0, ?, '')`

// newRow is the arguments of insertJob.
func (q *Queue) newRow(tx *store.Tx, kind, payload string, s Spec) []any {
	var key any // NULL is equal to no other
	if s.Key != "" {
		key = s.Key
	}
	return []any{q.o.IDs.UUID(), kind, key, payload, s.Company, int64(max(s.At, tx.Now())), int64(tx.Now())}
}

// forever is the lease of a claim on SQLite, where no other process can take over.
const forever = value.Instant(1<<63 - 1)

// take claims up to n due jobs. A claim counts as an attempt at once, so that a job
// that takes the process with it is not tried for ever.
func (q *Queue) take(tx *store.Tx, n int, refused refusals) ([]*Job, error) {
	due := q.free(tx.Now()).And("run_at <= ?", int64(tx.Now()))
	text := `SELECT id, kind, COALESCE(key, ''), payload, company_id, attempts, revision, created_at FROM job
		WHERE ` + due.SQL + ` ORDER BY run_at, seq LIMIT ?`
	until := forever
	if tx.Engine() == store.PostgreSQL {
		text += " FOR UPDATE SKIP LOCKED"
		until = tx.Now().Add(q.o.Lease)
	}
	rows, err := tx.Query(text, append(due.Args, int64(n))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var jobs []*Job
	var ids []string
	for rows.Next() {
		j := new(Job)
		if err := rows.Scan(&j.ID, &j.Kind, &j.Key, &j.Payload, &j.Company, &j.Attempt, &j.revision, &j.Created); err != nil {
			return nil, err
		}
		j.Attempt++
		jobs, ids = append(jobs, j), append(ids, j.ID)
	}
	if err := rows.Err(); err != nil || len(jobs) == 0 {
		return nil, err
	}
	these := store.In("id", ids...)
	_, err = tx.Exec("UPDATE job SET attempts = attempts + 1, claimed_by = ?, claimed_until = ? WHERE "+these.SQL,
		append([]any{q.name, int64(until)}, these.Args...)...)
	for i := 0; i < len(jobs) && err == nil; i++ {
		err = q.begin(tx, jobs[i], refused)
	}
	return jobs, err
}

// begin tells the handler of a job that an attempt at it begins.
func (q *Queue) begin(tx *store.Tx, j *Job, refused refusals) error {
	h := q.handlers[j.Kind]
	if h.Begun == nil || q.isSpent(h, j) {
		return nil
	}
	if j.refused = refused[j.ID]; j.refused != nil {
		return nil
	}
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = panicked(p)
			}
		}()
		return h.Begun(tx, *j)
	}()
	if err != nil {
		return &refusal{j.ID, err}
	}
	return nil
}

// isSpent holds for a job that was begun so often that it is not begun again.
func (q *Queue) isSpent(h Handler, j *Job) bool { return j.Attempt > h.MaxAttempts && h.every == 0 }

// refusals are the jobs whose Begun has failed in an earlier run of a transaction.
type refusals map[string]error

// refusal ends a transaction in which a job's Begun has failed.
type refusal struct {
	id string
	error
}

func (r *refusal) Unwrap() error { return r.error }

// write runs a transaction that claims jobs. When the Begun of one fails, it runs
// again, with the error for an answer: no job keeps others from being claimed, nor
// another's end from being noted.
func (q *Queue) write(ctx context.Context, fn func(tx *store.Tx, refused refusals) error) error {
	refused := refusals{}
	for {
		err := q.o.DB.Write(ctx, func(tx *store.Tx) error { return fn(tx, refused) })
		r, ok := errors.AsType[*refusal](err)
		if !ok {
			return err
		}
		refused[r.id] = r.error
	}
}

// free holds for jobs that this program can do and that nobody has claimed.
func (q *Queue) free(now value.Instant) store.Predicate {
	// COALESCE keeps the engines from looking up kinds in an index and sorting what
	// they find: the order of job_due is wanted, of which the first few rows do.
	return store.And(store.Where("claimed_until <= ?", int64(now)), store.In("COALESCE(kind, '')", q.kinds...))
}

// nextDue is when the next unclaimed job is due; 0 when there is none.
func (q *Queue) nextDue(tx *store.Tx) (value.Instant, error) {
	free := q.free(tx.Now())
	var next int64
	err := tx.QueryRow("SELECT run_at FROM job WHERE "+free.SQL+" ORDER BY run_at, seq LIMIT 1", free.Args...).Scan(&next)
	if errs.Is(err, errs.NotFound) {
		return 0, nil
	}
	return value.Instant(next), err
}

// do makes one attempt at a job and notes how it ended. It returns the next job, which
// was claimed in the same transaction, if there is one.
func (q *Queue) do(j Job) *Job {
	h := q.handlers[j.Kind]
	var commit func(tx *store.Tx) error
	var err error
	switch {
	case q.isSpent(h, &j):
		err = Permanent(errors.New("the job was begun too often and never came to an end"))
	case j.refused != nil:
		err = j.refused
	default:
		commit, err = q.attempt(h, j)
	}
	var next *Job
	away := false
	if err == nil {
		err = q.settle(func(tx *store.Tx, refused refusals) error {
			next = nil
			if err := q.finish(tx, h, j); err != nil {
				return err
			}
			if commit != nil {
				if err := commit(tx); err != nil {
					return err
				}
			}
			return q.following(tx, refused, &next)
		})
		if err == nil {
			return next
		}
		away = errs.Is(err, errs.Unavailable)
	}
	for told := true; !errors.Is(err, errLost); {
		settled := q.settle(func(tx *store.Tx, refused refusals) error {
			next = nil
			if err := q.fail(tx, h, j, err, away, told); err != nil {
				return err
			}
			return q.following(tx, refused, &next)
		})
		switch {
		case settled == nil:
			return next
		case errors.Is(settled, errLost):
			err = settled
			continue
		}
		q.o.Logger.Error("the end of a job cannot be noted", "kind", j.Kind, "job", j.ID, "error", settled)
		if told && !errs.Is(settled, errs.Unavailable) {
			told = false // it is the handler's own Failed or Retried that fails
			continue
		}
		// Nobody else on SQLite would free the job before the next start.
		timer := time.NewTimer(settlePause)
		select {
		case <-timer.C:
		case <-q.stop:
			timer.Stop()
			return nil
		}
	}
	q.o.Logger.Warn("a job's result was dropped: somebody else has the job, or it is gone", "kind", j.Kind, "job", j.ID)
	return nil
}

// attempt runs the handler. A panic is a failed attempt.
func (q *Queue) attempt(h Handler, j Job) (commit func(tx *store.Tx) error, err error) {
	ctx, cancel := context.WithTimeout(q.work, h.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			commit, err = nil, panicked(p)
		}
	}()
	return h.Run(ctx, j)
}

func panicked(p any) error { return fmt.Errorf("job: panic: %v\n%s", p, debug.Stack()) }

// settle is a write that also a stopping queue still makes.
func (q *Queue) settle(fn func(tx *store.Tx, refused refusals) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	return q.write(ctx, fn)
}

// following claims the next job in the transaction that ended one.
func (q *Queue) following(tx *store.Tx, refused refusals, next **Job) error {
	if q.stopping() {
		return nil
	}
	jobs, err := q.take(tx, 1, refused)
	if err == nil && len(jobs) == 1 {
		*next = jobs[0]
	}
	return err
}

// claimed holds for the job as long as this attempt owns it.
func (q *Queue) claimed(j Job) store.Predicate {
	return store.Where("id = ? AND claimed_by = ? AND attempts = ?", j.ID, q.name, int64(j.Attempt))
}

// finish ends a job that was done: it is gone, or due again when it is periodic or was
// enqueued again meanwhile.
func (q *Queue) finish(tx *store.Tx, h Handler, j Job) error {
	mine := q.claimed(j)
	if h.every > 0 {
		return q.change(tx, mine, "attempts = 0, claimed_by = '', claimed_until = 0, last_error = '', run_at = ?", int64(tx.Now().Add(h.every)))
	}
	n, err := tx.Exec("DELETE FROM job WHERE "+mine.SQL+" AND revision = ?", append(mine.Args, j.revision)...)
	if err != nil || n == 1 {
		return err
	}
	return q.change(tx, mine, "attempts = 0, claimed_by = '', claimed_until = 0, last_error = ''")
}

// fail ends an attempt that failed: the job is due again after a pause, or gone when
// it was the last. away says that the database was away, which is not the job's
// fault; told, that the handler is told in the same transaction.
func (q *Queue) fail(tx *store.Tx, h Handler, j Job, failure error, away, told bool) error {
	mine := q.claimed(j)
	_, final := errors.AsType[permanent](failure)
	final = (final || j.Attempt >= h.MaxAttempts) && h.every == 0
	switch {
	case q.work.Err() != nil:
		return q.change(tx, mine, "attempts = attempts - 1, claimed_by = '', claimed_until = 0")
	case away:
		return q.change(tx, mine, "attempts = attempts - 1, claimed_by = '', claimed_until = 0, last_error = ?, run_at = ?",
			describe(failure), int64(tx.Now().Add(q.pause(h.Backoff, 1))))
	case final && told:
		tx.OnCommit(func() {
			q.o.Logger.Error("a job has failed", "kind", j.Kind, "job", j.ID, "attempts", j.Attempt, "error", failure)
		})
		if err := q.finish(tx, h, j); err != nil || h.Failed == nil {
			return err
		}
		return h.Failed(tx, j, failure)
	}
	pause := q.pause(h.Backoff, j.Attempt)
	if h.every > 0 {
		pause = min(pause, h.every)
	}
	err := q.change(tx, mine, "claimed_by = '', claimed_until = 0, last_error = ?, run_at = ?", describe(failure), int64(tx.Now().Add(pause)))
	if err != nil {
		return err
	}
	tx.OnCommit(func() {
		q.o.Logger.Warn("a job will be tried again", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt, "error", failure)
	})
	if h.Retried != nil && told {
		return h.Retried(tx, j, failure)
	}
	return nil
}

// change updates a job that this attempt owns.
func (q *Queue) change(tx *store.Tx, mine store.Predicate, set string, args ...any) error {
	n, err := tx.Exec("UPDATE job SET "+set+" WHERE "+mine.SQL, append(args, mine.Args...)...)
	if err == nil && n == 0 {
		return errLost
	}
	return err
}

// pause grows with the attempts and is spread, so that jobs that failed together do
// not return together.
func (q *Queue) pause(first time.Duration, attempt int) time.Duration {
	d := first
	for range min(attempt-1, 30) {
		if d = 2 * d; d >= maxPause {
			d = maxPause
			break
		}
	}
	return d/2 + time.Duration(q.o.Jitter(int64(d)))
}

// describe is what is kept of an error: no more than a line's worth.
func describe(err error) string {
	text := []rune(errs.As(err).Error())
	if len(text) > 500 {
		text = text[:500]
	}
	return string(text)
}
