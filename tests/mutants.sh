#!/usr/bin/env bash
# Do the loom tests catch what they are for? Breaks the code in a copy, one thing at a time, and demands
# that the named test fails. Usage: tests/mutants.sh [part of a mutant's name]
#
# Takes ten minutes; not part of CI's every run.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=${MUTANTS_DIR:-/tmp/mutants}
only=${1:-}

mkdir -p "$copy"
export RUSTFLAGS="--cfg timer_future_loom" CARGO_TARGET_DIR="$copy/target" RUST_BACKTRACE=0
export LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-3}
status=0

# What is mutated does not change under the script's feet.
rm -rf "$copy/original"
mkdir -p "$copy/original/examples"
cp -r Cargo.toml Cargo.lock README.md src tests "$copy/original/"
cp examples/*.rs "$copy/original/examples/"

fresh_copy() {
    rm -rf "$copy/crate"
    cp -r "$copy/original" "$copy/crate"
}

run() { # run TARGET TEST: lib or loom
    local target=(--lib)
    [ "$1" = lib ] || target=(--test "$1")
    (
        cd "$copy/crate"
        cargo test -q --profile loom "${target[@]}" --no-run >"$copy/log" 2>&1 || exit
        # A slow machine must not look like a test that fails.
        timeout 600 cargo test -q --profile loom "${target[@]}" "$2" >"$copy/log" 2>&1
    )
}

# mutant NAME FILE PERL TARGET TEST: PERL edits the whole of FILE.
mutant() {
    local name=$1 file=$2 edit=$3 target=$4 test=$5 result=0
    [[ $name == *"$only"* ]] || return 0
    fresh_copy
    perl -0pi -e "$edit" "$copy/crate/$file"
    if cmp -s "$copy/original/$file" "$copy/crate/$file"; then
        printf 'STALE   %-44s the edit changes nothing in %s\n' "$name" "$file"
        status=1
        return
    fi
    run "$target" "$test" || result=$?
    if [ $result = 0 ]; then
        printf 'MISSED  %-44s %s\n' "$name" "$test"
        status=1
    elif [ $result = 124 ]; then
        printf 'SLOW    %-44s no answer from %s in ten minutes\n' "$name" "$test"
        status=1
    elif grep -qE '^error(\[|: could not compile)' "$copy/log"; then
        printf 'BROKEN  %-44s does not compile, see %s\n' "$name" "$copy/log"
        status=1
    else
        printf 'caught  %-44s %s\n' "$name" "$test"
    fi
}

if [ -z "$only" ]; then
    fresh_copy
    run loom '' && run lib loom || { echo "the tests fail without any mutant: $copy/log"; exit 1; }
fi

# ---- the handshake (src/state.rs) ----
state=src/state.rs
mutant completed_load_relaxed $state \
    's/completed\.load\(Ordering::Acquire\)/completed.load(Ordering::Relaxed)/' loom completion_publishes
mutant completed_store_relaxed $state \
    's/completed\.store\(true, Ordering::Release\)/completed.store(true, Ordering::Relaxed)/' loom completion_publishes
mutant no_second_look $state \
    's/(self\.register\(cx\.waker\(\)\);).*?(Poll::Pending)/$1 $2/s' loom completion_is_never_lost
mutant wake_before_flag $state \
    's/self\.set_complete\(\);\s+self\.waker\.wake\(\);/self.waker.wake(); self.set_complete();/' loom completion_is_never_lost
mutant waker_left_by_the_second_look $state \
    's/drop\(self\.waker\.take\(\)\);//' loom ready_keeps_no_waker
mutant first_waker_stays $state \
    's/self\.register\(cx\.waker\(\)\);/if self.place.swap(0, Ordering::Relaxed) == u16::MAX { self.register(cx.waker()); }/' loom newest_waker_wins

# ---- the slot protocol (src/pool/slot.rs, src/pool/mod.rs, src/pool/keeper.rs) ----
slot=src/pool/slot.rs
mutant no_generation $slot \
    's/Word\(armed\.wrapping_add\(GENERATION\)\)/Word(armed)/' loom reset_against_fire
mutant no_second_read_of_the_word $slot \
    's/if again == word \{/if again == word || true {/' loom slot_deadline_is_published
mutant no_fence_before_the_second_read $slot \
    's/acquire_fence\(\);//' loom slot_deadline_is_published
mutant no_fence_before_the_deadline_is_written $slot \
    's/release_fence\(\);//' loom slot_deadline_is_published
mutant word_load_relaxed $slot \
    's/self\.state\.word\.load\(Ordering::Acquire\)/self.state.word.load(Ordering::Relaxed)/' loom slot_deadline_is_published
mutant word_swap_relaxed $slot \
    's/Ordering::SeqCst, Ordering::Acquire/Ordering::Relaxed, Ordering::Relaxed/' loom slot_deadline_is_published
mutant flag_after_the_waker_is_taken $slot \
    's/self\.state\.set_complete\(\);\s+(let waker = self\.state\.take_waker\(\);)(\s+let abandoned)/$1 self.state.set_complete();$2/' loom polled_while_it_fires_is_not_lost
mutant completed_not_cleared $slot \
    's/self\.state\.clear\(\);//' loom drop_while_firing_frees_the_slot
mutant taken_back_while_firing $slot \
    's/FIRING => \(ABANDONED, TakenBack::LeftToKeeper\),//' loom drop_while_firing_frees_the_slot
mutant abandoned_slot_not_freed src/pool/keeper.rs \
    's/if fired\.abandoned \{/if false {/' loom drop_while_firing_frees_the_slot
mutant reset_while_firing_in_place src/pool/mod.rs \
    's/if slot\.take_back_unless_firing\(\) \{/if { _ = slot.take_back(); true } {/' loom reset_against_fire
mutant waker_kept_by_cancel src/pool/mod.rs \
    's/TakenBack::Armed => slot\.state\(\)\.take_waker\(\),/TakenBack::Armed => None::<Waker>,/' loom cancelled_or_fired_but_not_both

# A deadline in one piece is postponed in place.
whole() { RUSTFLAGS="$RUSTFLAGS --cfg timer_future_loom_whole" CARGO_TARGET_DIR="$copy/target-whole" mutant "$@"; }
whole postponed_without_a_generation $slot \
    's/Word\(word\.0\.wrapping_add\(GENERATION\)\)/word/' lib postponed_while_it_comes_up
whole postponed_without_asking $slot \
    's/self\.swap\(word, Word\(word\.0\.wrapping_add\(GENERATION\)\)\)\s+\.is_ok\(\)/true/' lib postponed_while_it_comes_up

# ---- kick-or-see (src/pool/alarm.rs, src/pool/mod.rs) ----
alarm=src/pool/alarm.rs
mutant earlier_not_told $slot \
    's/comes_up && \(earlier \|\|/comes_up \&\& (earlier \&\& false ||/' lib kick_or_see_when_moved_to_earlier
mutant looks_after_the_inbox src/pool/loom_tests.rs \
    's/self\.pool\.alarm\.look\(\);(\s+if keeper\.step\(&self\.pool, 0\) \{\s+continue;\s+\})/$1 self.pool.alarm.look();/' lib kick_or_see
mutant stopped_before_the_look src/thread/driver.rs \
    's/self\.pool\.alarm\.look\(\);\s+(\/\/ ORDERING: SeqCst, see `stop`\.)\s+!self\.stopped\.load\(Ordering::SeqCst\)/let go_on = !self.stopped.load(Ordering::SeqCst); self.pool.alarm.look(); go_on/' lib a_stop_is_seen
mutant sleeps_though_kicked $alarm \
    's/\.compare_exchange\(LOOKING, time, Ordering::SeqCst, Ordering::SeqCst\)\s+\.is_ok\(\)/.store(time, Ordering::SeqCst); true/' lib kick_or_see
mutant inbox_taken_relaxed src/pool/inbox.rs \
    's/self\.top\.swap\(NONE, Ordering::SeqCst\)/self.top.swap(NONE, Ordering::Relaxed)/; s/crate::sync::sc_fence\(\);//' lib kick_or_see
# The orders of the alarm word itself cannot be broken one by one: mark and push are read-modify-writes of
# words that the keeper swaps, and they order the word as well.
mutant kick_wakes_nobody $alarm \
    's/before != KICKED && before != LOOKING/before != before/' lib kick_or_see
mutant alarm_read_before_the_mark src/pool/mod.rs \
    's/(let must_kick = [^;]*;)\s+(let alarm = self\.alarm\.read\(\);)/$2 $1/' lib kick_or_see
mutant mark_before_the_arm src/pool/mod.rs \
    's/let tell = slot\.arm\(deadline\);(.*?)let must_kick = tell && self\.inbox\.tell\(([^)]*)\);/let must_kick = self.inbox.tell($2); let tell = slot.arm(deadline);$1/s' lib kick_or_see
mutant nobody_relies_on_a_push src/pool/inbox.rs \
    's/group\.marks\(\) & !\(1 << index\.at\(\)\) != 0/false/' lib kick_or_see_when_another_pushes_the_group

# ---- inbox and free list (src/pool/inbox.rs, group.rs, free.rs) ----
mutant link_read_after_the_marks src/pool/inbox.rs \
    's/let next = group\.next_dirty\.load\(Ordering::Relaxed\);\s+\(next, group\.take_marks\(\)\)/let marks = group.take_marks(); (group.next_dirty.load(Ordering::Relaxed), marks)/' loom inbox_loses_no_group
mutant inbox_taken_in_two_steps src/pool/inbox.rs \
    's/self\.top\.swap\(NONE, Ordering::SeqCst\)/{ let top = self.top.load(Ordering::SeqCst); self.top.store(NONE, Ordering::SeqCst); top }/' loom inbox_loses_no_group
mutant marks_taken_in_two_steps src/pool/group.rs \
    's/self\.dirty\.swap\(0, Ordering::SeqCst\)/{ let marks = self.dirty.load(Ordering::SeqCst); self.dirty.store(0, Ordering::SeqCst); marks }/' loom inbox_loses_no_group
mutant push_relaxed src/pool/inbox.rs \
    's/Ordering::SeqCst,\s+Ordering::Relaxed,/Ordering::Relaxed, Ordering::Relaxed,/' loom inbox_publishes_its_links
mutant group_forgotten src/pool/group.rs \
    's/self\.free\.load\(Ordering::SeqCst\) != 0 && self\.enlist\(\)/false/' loom slots_are_recycled
mutant unlisted_without_total_order src/pool/group.rs \
    's/(self\.listed\.store\(false, Ordering::SeqCst\);)\s+crate::sync::sc_fence\(\);/$1/' loom slots_are_recycled
mutant slot_taken_in_two_steps src/pool/group.rs \
    's/let before = self\.free\.fetch_and\(!bit, Ordering::Acquire\);/let before = self.free.load(Ordering::Acquire); self.free.store(before & !bit, Ordering::Release);/' loom no_slot_is_given_twice

# ---- InterruptSource (src/interrupt): every name begins with interrupt_ ----
i=src/interrupt
on_interrupt() { # on_interrupt NAME FILE PERL TEST
    mutant "interrupt_$1" "$i/$2.rs" "$3" loom_interrupt "$4"
}
on_interrupt enter_without_fence keeper \
    's/full_fence\(\);//' an_arm_is_seen_or_kicks
on_interrupt arm_without_fence client \
    's/(fn kick_unless.*?)full_fence\(\);/$1/s' a_later_arm_is_seen_or_kicks
on_interrupt arm_without_second_look client \
    's/if self\.head\.load\(Ordering::Relaxed\) != seen \{/if false \&\& seen == 0 {/' a_later_arm_is_seen_or_kicks
on_interrupt first_poll_without_look timer \
    's/let poll = match timer\.is_complete\(\)/let poll = match false/' a_first_poll_is_ready_or_woken
on_interrupt again_ignored keeper \
    's/if !\(alone && in_time\)/if !in_time || !alone \&\& false/' an_arm_is_seen_or_kicks
on_interrupt second_handler_asks_nobody keeper \
    's/if self\.go_again\(\) \{/if true {/' a_second_handler_does_not_wipe_out_a_request
on_interrupt leave_relaxed keeper \
    's/(first\)\.0, )Ordering::Release/$1Ordering::Relaxed/' a_head_that_comes_back_is_another
on_interrupt push_relaxed client \
    's/compare_exchange_weak\(seen, pushed, Ordering::Release/compare_exchange_weak(seen, pushed, Ordering::Relaxed/' two_later_arms_are_both_seen
on_interrupt lead_relaxed client \
    's/compare_exchange_weak\(head\.0, mine, Ordering::AcqRel/compare_exchange_weak(head.0, mine, Ordering::Relaxed/' an_earliest_arm_racing_the_handler_loses_nobody
on_interrupt lead_without_second_look client \
    's/if self\.head\.load\(Ordering::Relaxed\) != mine \{/if false {/' two_earliest_arms_leave_the_earlier_alarm
on_interrupt lead_before_link client \
    's/slot\.set_next\(head\.first\(\)\);//; s/(let published = leads && self\.lead\(head, link, deadline\);)/$1 if published && !owned.is_linked() { slot.set_next(head.first()); }/' \
    an_earliest_arm_that_fires_at_once_loses_nobody
on_interrupt head_without_tag head \
    's/(fn next_tag\(self\) -> u32 \{).*?\n    \}/$1 0 }/s' a_head_that_comes_back_is_another
on_interrupt moved_head_known word \
    's/self\.0 & \(MOVED \| OWNED\) == 0/true/' an_arm_beside_a_cancelled_and_rearmed_head_is_on_time
on_interrupt moved_head_leads client \
    's/ && !owned\.is_moved\(\)//' a_moved_head_does_not_hide_what_comes_before_it
on_interrupt disorder_not_told client \
    's/self\.inbox\.fetch_or\(DISORDER, Ordering::Relaxed\);//' a_timer_moved_before_another_is_on_time
on_interrupt linked_arm_without_look client \
    's/self\.kick_unless\(seen\);(\s+\}\s+self\.check\(slot, published)/$1/' an_arm_in_a_recycled_slot_is_seen_or_kicks
on_interrupt owned_slot_forgotten order \
    's/(if word\.is_owned\(\) \{).*?return false;/$1 return false;/s' a_timer_that_is_just_being_moved_is_not_buried
on_interrupt deadline_torn slot \
    's/self\.state\.word\.load\(Ordering::Relaxed\) == word\.0/true/' rearming_is_never_read_torn
on_interrupt owner_without_fence slot \
    's/release_fence\(\);//' a_moving_first_timer_does_not_hide_the_second
on_interrupt reader_without_fence slot \
    's/acquire_fence\(\);//' a_moving_first_timer_does_not_hide_the_second
on_interrupt fired_in_two_steps slot \
    's/(pub\(super\) fn fire\(&self, seen: Word\) -> bool \{).*?\n    \}/$1 if self.word() == seen { self.state.word.store(seen.firing().0, Ordering::Release); true } else { false } }/s' a_recycled_slot_is_not_completed_by_a_late_handler
on_interrupt fired_whatever_the_generation word \
    's/\.wrapping_add\(GENERATION\)/.wrapping_add(0)/' rearming_for_earlier_is_never_read_torn
on_interrupt free_before_fired slot \
    's/(fn give_back.*?)if word\.phase\(\) == FIRING \{/$1if false {/s' a_drop_racing_the_handler_frees_the_slot
on_interrupt given_up_not_told slot \
    's/self\.link\(\)\.store\(GIVEN_UP, Ordering::Release\);//' a_drop_racing_the_handler_frees_the_slot
on_interrupt given_up_twice slot \
    's/(word\.0 & \(PHASE \| LINKED\) == FIRED)\s+&& self\.link\(\)\.load\(Ordering::Acquire\) == GIVEN_UP/$1/' a_fired_timer_keeps_its_slot
on_interrupt done_before_completed slot \
    's/self\.state\.set_complete\(\);(\s+let waker = self\.state\.take_waker\(\);.*?fired\(\)\.0, Ordering::Release\);)/$1 self.state.set_complete();/s' a_recycled_slot_is_not_completed_by_a_late_handler
on_interrupt waker_kept slot \
    's/(fn finish.*?let waker = )self\.state\.take_waker\(\)/$1None/s' a_poll_racing_the_handler_is_ready_or_woken
on_interrupt word_relaxed slot \
    's/Word\(self\.state\.word\.load\(Ordering::Acquire\)\)/Word(self.state.word.load(Ordering::Relaxed))/' rearming_for_earlier_is_never_read_torn
on_interrupt swap_relaxed slot \
    's/from\.0, to, Ordering::AcqRel/from.0, to, Ordering::Relaxed/' a_recycled_slot_is_not_completed_by_a_late_handler
on_interrupt linked_arm_relaxed slot \
    's/store\(owned\.armed\(\)\.0 \| moved, Ordering::Release\)/store(owned.armed().0 | moved, Ordering::Relaxed)/' rearming_is_never_read_torn
on_interrupt look_relaxed client \
    's/Head\(self\.head\.load\(Ordering::Acquire\)\)/Head(self.head.load(Ordering::Relaxed))/' a_head_that_comes_back_is_another
on_interrupt inbox_taken_relaxed keeper \
    's/swap\(EMPTY, Ordering::Acquire\)/swap(EMPTY, Ordering::Relaxed)/' two_later_arms_are_both_seen
on_interrupt wide_without_second_look ../widen \
    's/if again != half \{/if false \&\& again != half {/' two_readers_never_see_time_run_backwards

exit $status
