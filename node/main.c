/* doorstep-node: the desk of one community, which works alone for days. */
#include "program/program.h"

int main(int argc, char **argv)
{
    const struct program p = {
        .name = "doorstep-node", .web = web_files, .web_count = web_file_count};

    return program_main(&p, argc, argv);
}
