/* doorstep-hub: a street or a district. */
#include "print.h"
#include "program/program.h"

int main(int argc, char **argv)
{
    const struct program p = {.name = "doorstep-hub",
                              .is_hub = true,
                              .print_certificate = print_certificate,
                              .print_label = print_label,
                              .web = web_files,
                              .web_count = web_file_count};

    return program_main(&p, argc, argv);
}
