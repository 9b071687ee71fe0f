/* The test key, as the PEM text of key.pem. */
	.section .rodata
	.globl	key_pem, key_pem_end
	.hidden	key_pem, key_pem_end
key_pem:
	.incbin	"key.pem"
key_pem_end:
	.byte	0
	.section .note.GNU-stack, "", @progbits
