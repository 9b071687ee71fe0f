/* What demo.c asks of the enclave in enclave.S; the message is ops.h's. */
#ifndef DEMO_H
#define DEMO_H

#define DEMO_SUM 0 /* r0 = sum of a1 words at a0 */
#define DEMO_REPORT 1 /* EREPORT: TARGETINFO a0, REPORTDATA a1, REPORT to a2 */
#define DEMO_CPUID 2 /* CPUID leaf a0 inside, which is #UD; r0..r3 = EAX EBX ECX EDX */
#define DEMO_ANSWER 3 /* nested: put a1..a4 into EAX..EDX of GPRSGX a0 and skip the instruction */
#define DEMO_LIMIT 4

#endif
