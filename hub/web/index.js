import '@shared/apply/main.js'
