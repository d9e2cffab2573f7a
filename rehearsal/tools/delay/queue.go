package main

import (
	"sync"
	"time"
)

type packet struct {
	data []byte
	due  time.Time
}

// queue keeps packets in order until they are taken. When it is full, push waits, so that nothing is ever lost here.
type queue struct {
	mu       sync.Mutex
	changed  sync.Cond
	packets  []packet
	bytes    int
	maxBytes int
	delay    time.Duration
	last     time.Time
}

func newQueue(maxBytes int) *queue {
	q := &queue{maxBytes: maxBytes}
	q.changed.L = &q.mu
	return q
}

func (q *queue) setDelay(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.delay = d
}

func (q *queue) push(data []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.bytes > 0 && q.bytes+len(data) > q.maxBytes {
		q.changed.Wait()
	}
	// A shorter delay must not let a later packet overtake an earlier one.
	due := time.Now().Add(q.delay)
	if due.Before(q.last) {
		due = q.last
	}
	q.last = due
	q.packets = append(q.packets, packet{data, due})
	q.bytes += len(data)
	q.changed.Broadcast()
}

// pop takes the oldest packet, however far off its time is.
func (q *queue) pop() packet {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.packets) == 0 {
		q.changed.Wait()
	}
	p := q.packets[0]
	q.packets[0] = packet{}
	q.packets = q.packets[1:]
	q.bytes -= len(p.data)
	q.changed.Broadcast()
	return p
}
