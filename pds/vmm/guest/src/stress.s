# SPDX-License-Identifier: BSD-2-Clause
# The guest that works without pause: commands, with an interrupt of its own unit between them.

.set STRESS_ROUNDS, 5000
.set STRESS_PAIRS, 15

stress:
    call fill
    CHECK "a machine has as many PASIDs as its quota says"
    call drain
    CHECK "and can free them"
    call listen
    xorl %ebp, %ebp
    # ECX of the round, on the stack; EBP counts what went wrong.
    pushl $STRESS_ROUNDS
    pushl $0
1:  movl $STRESS_PAIRS, %edi
    call pairs
    addl %esi, %ebp
    movl (%esp), %ebx
    movl 4(%esp), %eax
    call submit
    movl %ebx, (%esp)
    sti
    movl $1000, %ecx
2:  cmpl $1, COMPLETIONS
    je 3f
    loop 2b
3:  cli
    movl 4(%esp), %eax
    cmpl %eax, WAITED
    je 4f
    incl %ebp
4:  cmpl $1, COMPLETIONS
    je 5f
    incl %ebp
5:  movl $0, COMPLETIONS
    decl 4(%esp)
    jnz 1b
    testl %ebp, %ebp
    CHECK_EQUAL "150000 commands and 5000 interrupts of its unit, each as it must be"
    cmpl $0, FAULTS
    CHECK_EQUAL "no fault came"
    jmp done
