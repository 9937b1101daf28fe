//! Waiting for a moment, to some microseconds: tokio's own timers are late by a millisecond or two,
//! which would be counted as the servers' latency.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::window::Window;

/// Waits for one moment at a time.
pub struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<timer::Timer>,
}

/// Between two looks whether there is still a reason to wait.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// What is left for the fine timer at the end of a long wait.
const MARGIN: Duration = Duration::from_millis(5);

impl Alarm {
    /// With the system's timer; with tokio's where there is none.
    pub fn fine() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            timer: timer::Timer::new().ok(),
        }
    }

    /// With tokio's, whose time tests can advance.
    #[cfg(test)]
    pub fn coarse() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            timer: None,
        }
    }

    /// Waits until this moment, or answers false as soon as it is seen that someone asks to stop.
    pub async fn until(&self, due: Instant, window: &Window) -> bool {
        loop {
            if window.is_halted() {
                return false;
            }
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            } else if left > LOOK_INTERVAL {
                sleep((left - MARGIN).min(LOOK_INTERVAL)).await;
            } else {
                self.pause(left).await;
            }
        }
    }

    /// Waits for this long.
    pub async fn pause(&self, duration: Duration) {
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer
            && timer.pause(duration).await.is_ok()
        {
            return;
        }
        sleep(duration).await;
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[allow(
            deprecated,
            reason = "it asks for a descriptor that stays the same, as one that is owned does; the others are unsafe"
        )]
        pub fn new() -> io::Result<Self> {
            let timer =
                timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
        }

        pub async fn pause(&self, duration: Duration) -> io::Result<()> {
            // Zero would switch it off.
            let value =
                Timespec::try_from(duration.max(Duration::from_nanos(1))).map_err(io::Error::other)?;
            let once = Itimerspec { it_interval: Timespec::default(), it_value: value };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
            loop {
                let mut guard = self.0.readable().await?;
                let read = rustix::io::read(self.0.get_ref(), &mut [0; 8]);
                // It rings once, so nothing comes after what was read.
                guard.clear_ready();
                match read {
                    Ok(_) => return Ok(()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::Halt;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_moment_is_waited_for_unless_all_stops() {
        let halt = Halt::default();
        let window = Window::starting_now(Duration::ZERO, Duration::from_secs(60), halt.clone());
        let due = Instant::now() + Duration::from_millis(1234);
        assert!(Alarm::coarse().until(due, &window).await);
        assert_eq!(Instant::now().duration_since(due), Duration::ZERO);

        halt.call();
        assert!(!Alarm::coarse().until(due + Duration::from_secs(30), &window).await);
        assert_eq!(Instant::now().duration_since(due), Duration::ZERO);
    }

    #[tokio::test]
    async fn the_systems_timer_rings_again_and_again() {
        let window = Window::starting_now(Duration::ZERO, Duration::from_secs(60), Halt::default());
        let alarm = Alarm::fine();
        for _ in 0..20 {
            let due = Instant::now() + Duration::from_micros(300);
            assert!(alarm.until(due, &window).await);
            assert!(Instant::now() >= due);
        }
    }
}
