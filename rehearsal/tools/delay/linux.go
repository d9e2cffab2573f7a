package main

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// From linux/if_tun.h and linux/prctl.h.
const (
	tunSetIff       = 0x400454ca
	tunSetOffload   = 0x400454d0
	iffTUN          = 0x0001
	iffNoPI         = 0x1000
	iffVnetHdr      = 0x4000
	tunFCsum        = 0x01
	tunFTSO4        = 0x02
	tunFTSO6        = 0x04
	prSetTimerslack = 29
)

// openTUN makes a TUN device that takes and gives whole bundles of TCP segments, each with the header that says how to
// cut it up again. Packets go back exactly as they came, so the header is never looked at.
func openTUN(name string) (int, error) {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:syscall.IFNAMSIZ-1], name)
	request.flags = iffTUN | iffNoPI | iffVnetHdr
	if err := ioctl(fd, tunSetIff, uintptr(unsafe.Pointer(&request))); err != nil {
		return 0, err
	}
	runtime.KeepAlive(&request)
	return fd, ioctl(fd, tunSetOffload, tunFCsum|tunFTSO4|tunFTSO6)
}

func ioctl(fd int, request, argument uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, argument); errno != 0 {
		return errno
	}
	return nil
}

// preciseTimers lets this thread wake up within microseconds of the time it asked for.
func preciseTimers() {
	syscall.Syscall(syscall.SYS_PRCTL, prSetTimerslack, 1, 0)
}

func sleepUntil(t time.Time) {
	for d := time.Until(t); d > 0; d = time.Until(t) {
		pause := syscall.NsecToTimespec(int64(d))
		syscall.Nanosleep(&pause, nil)
	}
}
