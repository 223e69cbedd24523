# SPDX-License-Identifier: BSD-2-Clause
# The guest that measures: ticks of the time stamp counter for so many turns of a loop, and how often it came out.

.set TURNS, 200

# Says how many ticks and exits TURNS turns of `work` took: in ECX and EDX. EDI counts down in it.
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
    movl %eax, %esi
    CALL_MONITOR COUNT_EXITS
    subl %ebp, %eax
    # The one that counts is none of the loop's.
    decl %eax
    movl %eax, %edx
    movl %esi, %ecx
    SAY "\text"
.endm

.macro EMPTY
    nop
.endm

.macro CALL_NOTHING
    CALL_MONITOR NOTHING
.endm

.macro READ_RESPONSE
    movl VCRSP, %eax
.endm

.macro WRITE_NOTHING
    movl %eax, CAP
.endm

.macro ALLOC
    movl $1, VCMD
    call wait
    movl %edx, LIST(,%edi,4)
.endm

.macro FREE
    movl LIST(,%edi,4), %ebx
    call status_after_free
.endm

.macro REFUSED_FREE
    movl $2, VCMD
    call wait
.endm

measure:
    MEASURE "nothing" EMPTY
    MEASURE "register read" READ_RESPONSE
    MEASURE "exit (VMCALL)" CALL_NOTHING
    MEASURE "write that does nothing" WRITE_NOTHING
    MEASURE "free, refused" REFUSED_FREE
    MEASURE "alloc by VCMD" ALLOC
    movl VCRSP, %eax
    andl $0xff, %eax
    CHECK_EQUAL "the last of them was given"
    MEASURE "free by VCMD" FREE
    movl VCRSP, %eax
    andl $0xff, %eax
    CHECK_EQUAL "the last of them was freed"
    jmp done
