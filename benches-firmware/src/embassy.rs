//! A time driver for embassy as its HALs write them: a queue and the alarm in one critical section.

/// Makes `static DRIVER`, with the queue `$queue`.
#[macro_export]
macro_rules! embassy_driver {
    ($queue:ty) => {
        struct Driver {
            queue: critical_section::Mutex<core::cell::RefCell<$queue>>,
        }

        impl embassy_time_driver::Driver for Driver {
            #[inline]
            fn now(&self) -> u64 {
                $crate::board::now()
            }
            fn schedule_wake(&self, at: u64, waker: &core::task::Waker) {
                critical_section::with(|cs| {
                    let mut queue = self.queue.borrow_ref_mut(cs);
                    if queue.schedule_wake(at, waker) {
                        Self::next_alarm(&mut queue);
                    }
                });
            }
        }

        impl Driver {
            fn on_interrupt(&self) {
                critical_section::with(|cs| Self::next_alarm(&mut self.queue.borrow_ref_mut(cs)));
            }
            fn next_alarm(queue: &mut $queue) {
                let mut next = queue.next_expiration($crate::board::now());
                while !Self::set_alarm(next) {
                    next = queue.next_expiration($crate::board::now());
                }
            }
            /// False if it is past already.
            fn set_alarm(at: u64) -> bool {
                if at == u64::MAX {
                    $crate::board::stop_alarm();
                    return true;
                }
                $crate::board::set_alarm(at);
                $crate::board::now() < at
            }
        }

        embassy_time_driver::time_driver_impl!(static DRIVER: Driver = Driver {
            queue: critical_section::Mutex::new(core::cell::RefCell::new(<$queue>::new())),
        });
    };
}
