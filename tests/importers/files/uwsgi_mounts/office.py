from backoffice import application as application
