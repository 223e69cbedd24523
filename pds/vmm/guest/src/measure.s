# SPDX-License-Identifier: BSD-2-Clause
# The guest that measures: ticks of the time stamp counter for each turn of a loop, less those of an empty one.

.set TURNS, 1000

# Says how many ticks a turn of `work` takes, and how many exits.
.macro MEASURE text work
    CALL_MONITOR COUNT_EXITS
    movl %eax, %ebp
    movl $TURNS, %edi
    rdtsc
    movl %eax, %esi
1:  \work
    decl %edi
    jnz 1b
    rdtsc
    subl %esi, %eax
    xorl %edx, %edx
    movl $TURNS, %ecx
    divl %ecx
    movl %eax, %esi
    CALL_MONITOR COUNT_EXITS
    subl %ebp, %eax
    decl %eax
    xorl %edx, %edx
    movl $TURNS, %ecx
    divl %ecx
    movl %eax, %edx
    movl %esi, %ecx
    SAY "\text"
.endm

.macro EMPTY
    nop
.endm

.macro CALL_NOTHING
    CALL_MONITOR COUNT_EXITS
.endm

.macro READ_RESPONSE
    movl VCRSP, %eax
.endm

.macro WRITE_NOTHING
    movl %eax, CAP
.endm

.macro ALLOC_AND_FREE
    movl $1, VCMD
    call wait
    movl %edx, %ebx
    call status_after_free
.endm

.macro REFUSED_FREE
    movl $2, VCMD
    call wait
.endm

measure:
    MEASURE "a turn of the loop" EMPTY
    MEASURE "a register read" READ_RESPONSE
    MEASURE "an exit (VMCALL)" CALL_NOTHING
    MEASURE "a write that does nothing" WRITE_NOTHING
    MEASURE "a free that is refused" REFUSED_FREE
    MEASURE "an allocation and a free" ALLOC_AND_FREE
    jmp done
