// Command delay is a router that holds every packet for half of a round trip.
//
//	delay DEVICE
//
// It makes a TUN device of that name and prints "ready". What the kernel routes into the device comes out of it again
// later, in order, with nothing lost. Lines "rtt MS" on standard input set the round trip and are answered by the same
// line; at the end of the input it ends, and the device with it.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Largest packet that the kernel hands over, with its virtio header: it joins TCP segments, which saves most of the work.
const maxPacket = 10 + 1<<16

func main() {
	if len(os.Args) != 2 {
		fail("usage: delay DEVICE")
	}
	fd, err := openTUN(os.Args[1])
	if err != nil {
		fail("delay: can't make the TUN device %s: %v (root and /dev/net/tun are needed)", os.Args[1], err)
	}
	q := newQueue(256 << 20)
	go readPackets(fd, q)
	go writePackets(fd, q)
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		value, isRTT := strings.CutPrefix(in.Text(), "rtt ")
		ms, err := strconv.ParseFloat(value, 64)
		if !isRTT || err != nil || ms < 0 {
			fmt.Printf("expected \"rtt MS\", got %q\n", in.Text())
			continue
		}
		q.setDelay(time.Duration(ms / 2 * float64(time.Millisecond)))
		fmt.Println(in.Text())
	}
}

// readPackets puts into the queue what the kernel routes to the device.
func readPackets(fd int, q *queue) {
	runtime.LockOSThread()
	buffer := make([]byte, maxPacket)
	for {
		n, err := syscall.Read(fd, buffer)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			fail("delay: reading from the device: %v", err)
		}
		q.push(append([]byte(nil), buffer[:n]...))
	}
}

// writePackets gives each packet back at its time. It sleeps by the kernel's clock, since Go's timers are only good to
// a millisecond when nothing else happens.
func writePackets(fd int, q *queue) {
	runtime.LockOSThread()
	preciseTimers()
	for {
		p := q.pop()
		sleepUntil(p.due)
		for {
			_, err := syscall.Write(fd, p.data)
			if err == syscall.EINTR {
				continue
			}
			// The kernel refuses what it would refuse on any wire (a bad checksum); the sender sends it again.
			break
		}
	}
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
